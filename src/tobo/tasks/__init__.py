"""Tasks: what people are asked, who works on which item, and every answer."""

"""Pretraining a small backbone on pictures drawn by formula alone; see README.md here."""

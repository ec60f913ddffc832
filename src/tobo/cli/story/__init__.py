"""The pieces of `tobo demo`: photos in, a trained and serving classifier out, over boto3 alone."""

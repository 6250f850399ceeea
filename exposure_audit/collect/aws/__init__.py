"""Amazon Web Services: asking with boto3, and one file per service family."""

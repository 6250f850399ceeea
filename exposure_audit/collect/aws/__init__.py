"""Amazon Web Services: the only room with boto3."""

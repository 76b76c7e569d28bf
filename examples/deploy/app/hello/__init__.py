"""What the templates of examples/deploy put on AWS: one project, a handler for each kind of front door."""

"""What cold starts are measured with: each module imports what its road needs, and nothing else."""

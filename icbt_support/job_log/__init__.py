"""What the jobs did: near the ground, so that pages can read it and jobs can write it."""

"""What paid models are asked, a Jinja template for each task and strategy, and how it is filled."""

"""What `bench/run.py` measures, one module for each part."""

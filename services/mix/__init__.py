"""mix: real samples and accepted ones become training batches with a synthetic share that never exceeds its cap."""

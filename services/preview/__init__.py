"""What a recipe would ask and be told, tried on its own files: no topic, no broker, no state."""

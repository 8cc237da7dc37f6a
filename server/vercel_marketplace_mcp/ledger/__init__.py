"""What was asked, approved and bought, on disk before a byte leaves, and readable afterwards."""

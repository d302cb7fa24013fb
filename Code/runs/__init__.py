"""Many runs: side by side, kept on disk, resumed, and put together into results."""

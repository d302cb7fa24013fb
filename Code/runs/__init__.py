"""Many runs: executed in parallel, kept on disk, resumed, and combined into results."""

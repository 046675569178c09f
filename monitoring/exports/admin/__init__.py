"""Pages of scheduled exports and of SFTP servers."""

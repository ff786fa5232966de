"""Running the workbench: logs and the doctor."""

"""What ``maestro-heal`` does, one module for each group of commands; :mod:`pytest_maestro_healer.cli` parses and dispatches."""

pytest_plugins = ["ask_model"]

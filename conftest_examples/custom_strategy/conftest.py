pytest_plugins = ["heal_routes", "pytester"]

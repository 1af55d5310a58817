"""What a visitor has: settings and their address, saved settings, files and models of their own."""

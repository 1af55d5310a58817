"""How the lab is served: settings, what visitors may send, memory."""

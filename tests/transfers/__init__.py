"""Files over the wire, as their users move them: real clients, a server of its own, cuts and kills."""

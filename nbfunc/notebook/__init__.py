"""What runs in a kernel: the magics, the inline panel, and the side of the host that a server asks."""

"""What was begun here and is paid for when it ends: kept, settled once, asked after."""

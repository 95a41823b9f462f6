jupiter {}
jupiter {} # ERROR: There may be one jupiter block

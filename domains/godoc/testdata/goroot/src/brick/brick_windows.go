package brick

// Elsewhere is of another platform.
func Elsewhere() {}

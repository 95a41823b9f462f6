package brick

// Tested is of a test.
func Tested() {}

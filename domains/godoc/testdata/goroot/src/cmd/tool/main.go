package main

// main does nothing, and main says so.
func main() {}

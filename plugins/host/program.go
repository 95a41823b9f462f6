package host

import "fmt"

// Program is an executable that serves a plugin, and what has to be true of it whenever it is started.
type Program struct {
	Path string   // absolute
	Args []string // that make it serve

	// Tree is the directory of a program of several files, which Checksum covers all. "": the executable by itself, or
	// with the Python distribution whose script it is; covered.go has the whole story.
	Tree string

	// Checksum is the SHA-256, in hexadecimal, that it must have at every start (see the function Checksum). "" stands for what its
	// own file is when the host first looks: so it is for the program itself, which vouches for its own plugins, and for one
	// that is being written, of which a script may be the smallest part.
	Checksum string

	TLS TLS // "": TLSAuto
}

// ChecksumError says that a plugin's executable is not the one that was locked, or that the run began with. It was not
// started.
type ChecksumError struct {
	Plugin     string
	Path       string
	Want, Have string // SHA-256, in hexadecimal
	Locked     bool   // Want was given; else it is what the executable was when the run began
}

func (e *ChecksumError) Error() string {
	if !e.Locked {
		return fmt.Sprintf("plugin %s: the executable %s has changed since this run began (sha256:%s, now sha256:%s); start again", e.Plugin, e.Path, e.Want, e.Have)
	}
	return fmt.Sprintf("plugin %s: the executable %s, or a file that belongs to it, is not the one that was locked: want sha256:%s, have sha256:%s", e.Plugin, e.Path, e.Want, e.Have)
}

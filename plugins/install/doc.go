// Package install finds the plugins that a configuration requires, fetches those that are not there, and says which
// program each of them is.
//
// There are three kinds of sources. A file is an executable that is used where it lies. A mirror is a directory of archives.
// A Go package is built here, of a module with tagged versions. What comes from an archive or is built lies in the store:
//
//	STATE/plugins/NAME/VERSION/OS_ARCH/…
//
// A directory appears there by renaming, when all of it was written and looked at; nobody sees half of one. What lies there
// is no record of anything: the lock file is, and the store can be made again from it.
//
// Launch reads nothing but the lock file and the names of files; it is for every command. Installer.Init chooses versions,
// fetches and changes the lock; Installer.Lock and Installer.Mirror fetch for other platforms. A plugin is started, to be
// asked who it is, only after its checksum was compared with the lock, where the lock has one.
package install

import (
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/mod/module"
)

// Requirement is one plugin that a configuration requires.
type Requirement struct {
	Name       string
	Source     string
	Constraint string // ">= 1.0, < 2"; "": any version
}

// isLocal says whether a source is a path.
func isLocal(source string) bool {
	return source == "." || source == ".." || strings.HasPrefix(source, "./") || strings.HasPrefix(source, "../") || filepath.IsAbs(source)
}

// CheckSource says what is wrong with the form of a source.
func CheckSource(source string) error {
	if isLocal(source) {
		return nil
	}
	first, _, _ := strings.Cut(source, "/")
	if err := module.CheckImportPath(source); err != nil || !strings.Contains(first, ".") {
		return fmt.Errorf("%q is neither a path, which begins with ./, ../ or /, nor that of a Go package, such as example.com/acme/jupiter-x", source)
	}
	return nil
}

// local gives the path of a source that is one.
func local(dir, source string) string {
	if filepath.IsAbs(source) {
		return filepath.Clean(source)
	}
	return filepath.Join(dir, filepath.FromSlash(source))
}

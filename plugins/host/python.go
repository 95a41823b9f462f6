package host

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// A script that an installer has made for a Python package is a few lines that import the package, so its own bytes say
// nothing about what will run. The package's files are those that the RECORD of its distribution lists, beside the
// interpreter:
//
//	VENV/bin/SCRIPT                                        #!VENV/bin/python3
//	VENV/lib/python3.12/site-packages/NAME-1.0.dist-info/RECORD
//	VENV/lib/python3.12/site-packages/PACKAGE/…
//
// Covered are the script, the distribution's files, and what else lies in its packages, where a file that no RECORD lists
// could take the place of one that it does. Not covered: the interpreter, other distributions, and compiled files in
// __pycache__, which are another on each machine. Nor are the installer's notes on the installation, and the directory of
// the interpreter in the script's first line: one distribution has one checksum wherever it is installed.

// installerNotes are files of a *.dist-info directory that say how and where a distribution was installed.
var installerNotes = []string{"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_build.json", "uv_cache.json"}

// maxRecord bounds what is read of one RECORD.
const maxRecord = 64 << 20

// scriptFiles lists a program without a tree: the file, and where it is the script of a Python distribution that too.
func scriptFiles(program string) ([]coveredFile, error) {
	alone := aloneFile(program)
	script, err := isScript(program)
	if err != nil || !script {
		return alone, err
	}
	real, err := filepath.EvalSymlinks(program)
	if err != nil {
		return nil, err
	}
	record, err := recordOf(real)
	if err != nil || record == "" {
		return alone, err
	}
	files, err := distribution(record)
	return append(files, coveredFile{name: "bin/" + filepath.Base(program), path: real, script: true}), err
}

// isScript says whether a file begins as a script does.
func isScript(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	var b [2]byte
	if _, err := io.ReadFull(f, b[:]); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("read %s: %w", path, err)
	}
	return string(b[:]) == "#!", nil
}

// recordOf finds the RECORD of the distribution that a script in a bin directory belongs to; "": there is none.
func recordOf(script string) (string, error) {
	root := filepath.Dir(filepath.Dir(script))
	for _, pattern := range []string{"lib*/python*/site-packages", "lib*/python*/dist-packages"} {
		sites, err := filepath.Glob(filepath.Join(globEscaper.Replace(root), filepath.FromSlash(pattern)))
		if err != nil {
			return "", err
		}
		for _, site := range sites {
			records, err := filepath.Glob(filepath.Join(globEscaper.Replace(site), "*.dist-info", "RECORD"))
			if err != nil {
				return "", err
			}
			rel, err := filepath.Rel(site, script)
			if err != nil {
				return "", err
			}
			for _, r := range records {
				if b, err := os.ReadFile(r); err != nil {
					return "", err
				} else if lists(b, filepath.ToSlash(rel)) {
					return r, nil
				}
			}
		}
	}
	return "", nil
}

var globEscaper = strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]", `\`, `\\`)

// lists says whether a RECORD has a line for a file.
func lists(record []byte, name string) bool {
	for _, start := range []string{name + ",", `"` + name + `",`} {
		if bytes.HasPrefix(record, []byte(start)) || bytes.Contains(record, []byte("\n"+start)) {
			return true
		}
	}
	return false
}

// distribution lists the files of a distribution that a checksum covers, by their names in its RECORD.
func distribution(record string) ([]coveredFile, error) {
	info := filepath.Dir(record)
	site := filepath.Dir(info)
	if b, err := os.ReadFile(filepath.Join(info, "direct_url.json")); err == nil {
		var from struct {
			Dir struct{ Editable bool } `json:"dir_info"`
		}
		if json.Unmarshal(b, &from) == nil && from.Dir.Editable {
			return nil, fmt.Errorf("it belongs to %s, an editable installation, whose files lie elsewhere and can change at any time: install it without -e, or name it in dev_overrides", filepath.Base(info))
		}
	}
	f, err := os.Open(record)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := csv.NewReader(io.LimitReader(f, maxRecord))
	in.FieldsPerRecord = -1
	all := map[string]bool{}
	for {
		line, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("read %s: %w", record, err)
		}
		if name := path.Clean(line[0]); ours(name, filepath.Base(info)) {
			all[name] = true
		}
	}
	if err := addUnlisted(site, all); err != nil {
		return nil, err
	}
	files := make([]coveredFile, 0, len(all))
	for name := range all {
		files = append(files, coveredFile{name: name, path: filepath.Join(site, filepath.FromSlash(name))})
	}
	return files, nil
}

// ours says whether a file of a RECORD is covered. info is the name of the *.dist-info directory.
func ours(name, info string) bool {
	return filepath.IsLocal(filepath.FromSlash(name)) && !inCache(name) &&
		!(path.Dir(name) == info && slices.Contains(installerNotes, path.Base(name)))
}

func inCache(name string) bool { return path.Base(path.Dir(name)) == "__pycache__" }

// addUnlisted adds what lies in the distribution's packages and is in no RECORD: to import pkg.mod Python looks at
// pkg/mod/__init__.py before it looks at pkg/mod.py. A package is what has a listed __init__.py; of other directories,
// which several distributions may share, only the listed files are looked at.
func addUnlisted(site string, all map[string]bool) error {
	var packages []string
	for name := range all {
		if path.Base(name) == "__init__.py" && path.Dir(name) != "." {
			packages = append(packages, path.Dir(name))
		}
	}
	slices.Sort(packages)
	last := ""
	for _, p := range packages {
		if last != "" && strings.HasPrefix(p, last+"/") {
			continue // within one that was walked
		}
		last = p
		err := filepath.WalkDir(filepath.Join(site, filepath.FromSlash(p)), func(at string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			rel, err := filepath.Rel(site, at)
			if name := filepath.ToSlash(rel); err == nil && !inCache(name) {
				all[name] = true
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// relocated reads a script with the interpreter of its first line written without its directory, where that is dir.
func relocated(script io.Reader, dir string) (io.Reader, error) {
	in := bufio.NewReader(script)
	first, err := in.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if rest, ok := strings.CutPrefix(first, "#!"+dir+string(filepath.Separator)); ok && !strings.Contains(rest, "/") {
		first = "#!" + rest
	}
	return io.MultiReader(strings.NewReader(first), in), nil
}

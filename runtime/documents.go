package runtime

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"jupiter/runtime/questions"
)

// maxDocuments bounds the documents of a benchmark together, in bytes: 256 MiB.
const maxDocuments = 256 << 20

var errLarge = fmt.Errorf("the documents are larger than %d MiB together; name fewer", maxDocuments>>20)

// Skipped is a document that cannot be read as text, or a line, or some lines, that cannot be read as a conversation.
type Skipped struct {
	Document string `json:"document"`
	Why      string `json:"why"`
	Records  int    `json:"records"` // that the collector files may find bad there
}

// readDocuments reads what the globs find. A document's name is its path below the fixed part of its glob, or below its
// directory, as the collector files names its sources: so an item's evidence and a record's source are the same text. Of a file of
// chats each conversation is a document.
func readDocuments(globs, written []string) (docs []questions.Document, skipped []Skipped, err error) {
	at := map[string]string{} // name → path
	total := 0
	for i, glob := range globs {
		base, paths, err := findDocuments(glob)
		if err != nil {
			return nil, nil, fmt.Errorf("documents %s: %w", written[i], err)
		}
		if len(paths) == 0 {
			return nil, nil, fmt.Errorf("documents %s: there is no such file", written[i])
		}
		for _, p := range paths {
			rel, err := filepath.Rel(base, p)
			if err != nil {
				return nil, nil, err
			}
			name := filepath.ToSlash(rel)
			if first, twice := at[name]; twice && first != p {
				return nil, nil, fmt.Errorf("two documents have the name %s, %s and %s: one glob for both keeps their directories in their names", name, first, p)
			} else if twice {
				continue
			}
			at[name] = p
			if holdsChats(p) {
				chats, bad, size, err := readConversations(p, name, maxDocuments-total)
				if err != nil {
					return nil, nil, err
				}
				if total += size; total > maxDocuments {
					return nil, nil, errLarge
				}
				docs, skipped = append(docs, chats...), append(skipped, bad...)
				continue
			}
			data, err := readBounded(p, questions.MaxDocument+1)
			if err != nil {
				return nil, nil, err
			}
			text, err := questions.Clean(data)
			if err != nil {
				skipped = append(skipped, Skipped{name, err.Error(), 1})
				continue
			}
			if total += len(text); total > maxDocuments {
				return nil, nil, errLarge
			}
			docs = append(docs, questions.Document{Name: name, Text: text})
		}
	}
	return docs, skipped, nil
}

// findDocuments expands a path: a file, all files of a directory but hidden ones, or a glob.
func findDocuments(glob string) (base string, paths []string, err error) {
	info, err := os.Stat(glob)
	switch {
	case err == nil && info.IsDir():
		err = filepath.WalkDir(glob, func(p string, d fs.DirEntry, err error) error {
			hidden := err == nil && p != glob && strings.HasPrefix(d.Name(), ".")
			switch {
			case hidden && d.IsDir():
				return fs.SkipDir
			case err == nil && !hidden && d.Type().IsRegular():
				paths = append(paths, p)
			}
			return err
		})
		return glob, paths, err
	case err == nil && !info.Mode().IsRegular():
		return "", nil, errors.New("is neither a file nor a directory")
	case err == nil:
		return filepath.Dir(glob), []string{glob}, nil
	case !strings.ContainsAny(glob, "*?[{"):
		return "", nil, err
	}
	paths, err = doublestar.FilepathGlob(glob, doublestar.WithFilesOnly(), doublestar.WithFailOnIOErrors())
	if err != nil {
		return "", nil, err
	}
	slices.Sort(paths)
	fixed, _ := doublestar.SplitPattern(filepath.ToSlash(glob))
	return filepath.FromSlash(fixed), paths, nil
}

// IsDocument says whether a glob means a path, whether or not anything is there.
func IsDocument(glob, path string) (bool, error) { return doublestar.PathMatch(glob, path) }

// readBounded reads a file up to a length.
func readBounded(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}

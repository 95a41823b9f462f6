package runtime

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"jupiter/plugins/sdk"
	"jupiter/runtime/questions"
)

// holdsChats says whether a file is one of chats, by its name: JSON lines, as the collector files reads them.
func holdsChats(path string) bool {
	ext := strings.ToLower(filepath.Ext(path))
	return ext == ".jsonl" || ext == ".ndjson"
}

// lineName names a line of a file.
func lineName(file, line string) string { return file + ":" + line }

// sources are what the evidence of an item may call a record's source: the file, or the line of it that the record is.
func sources(r *sdk.Record) []string {
	file, line := r.Meta["source_path"], r.Meta["source_line"]
	switch {
	case file == "":
		return nil
	case line == "":
		return []string{file}
	}
	return []string{file, lineName(file, line)}
}

// namedLines is how many lines of a file that are no conversations are named one by one.
const namedLines = 20

// readConversations reads a file of chats. Each conversation is a document, named by the file and its line, and a line that is none
// is skipped. The bytes that it read are counted against most.
func readConversations(path, name string, most int) (docs []questions.Document, skipped []Skipped, size int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, 0, err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 64<<10)
	more, last := 0, Skipped{}
	for n := 1; ; n++ {
		line, read, err := boundedLine(r, questions.MaxConversation+1)
		if err == io.EOF {
			break
		} else if err != nil {
			return nil, nil, 0, err
		}
		if size += read; size > most {
			return nil, nil, size, nil
		}
		if n == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		at := lineName(name, strconv.Itoa(n))
		d, err := questions.Conversation(at, line)
		switch {
		case err == nil:
			docs = append(docs, d)
		case len(skipped) < namedLines:
			skipped = append(skipped, Skipped{at, err.Error(), 1})
		default:
			more++
			last = Skipped{at, err.Error(), 1}
		}
	}
	if more > 1 {
		last = Skipped{name, fmt.Sprintf("has %d more lines that are no conversations", more), more}
	}
	if more > 0 {
		skipped = append(skipped, last)
	}
	return docs, skipped, size, nil
}

// boundedLine reads a line without its end, up to most bytes of it, and says how many there were. io.EOF: there is no line more.
func boundedLine(r *bufio.Reader, most int) (line []byte, read int, err error) {
	for {
		part, err := r.ReadSlice('\n')
		read += len(part)
		line = append(line, part[:min(len(part), most-len(line))]...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err == io.EOF && read > 0:
			return line, read, nil
		case err != nil:
			return nil, read, err
		}
		return bytes.TrimSuffix(line, []byte("\n")), read, nil
	}
}

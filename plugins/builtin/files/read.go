package files

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"jupiter/plugins/sdk"
)

// item is one record of a file, or why there is none.
type item struct {
	index int // position in the file, from 1: line, object or part
	line  int // where it begins
	rec   *sdk.Record
	bad   error
}

const (
	maxLine = 8 << 20   // of JSON lines
	maxText = 512 << 10 // of a part of a text
	minPart = 16        // characters that a part may be bounded to
)

// read gives the items of a file one by one. An error of yield ends it and is returned.
func (c Config) read(f file, yield func(item) error) error {
	format := c.formatOf(f.rel)
	in, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer in.Close()
	if format == formatJSONL {
		return c.readLines(in, yield)
	}
	limit := int64(c.MaxFileSizeMB * (1 << 20))
	data, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil {
		return fmt.Errorf("read %s: %w", f.path, err)
	}
	if int64(len(data)) > limit {
		return yield(item{index: 1, line: 1, bad: fmt.Errorf("the file is larger than max_file_size_mb = %g", c.MaxFileSizeMB)})
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if line := badUTF8(data); line > 0 {
		return yield(item{index: 1, line: line, bad: errNotUTF8})
	}
	if format == formatJSON {
		return c.readValues(f.path, data, yield)
	}
	return c.readText(string(data), yield)
}

var errNotUTF8 = errors.New("not UTF-8 text")

// badUTF8 gives the line of the first byte that is not UTF-8 or is NUL, which no text has; 0 when there is none.
func badUTF8(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 || r == 0 {
			return 1 + bytes.Count(data[:i], []byte("\n"))
		}
		i += n
	}
	return 0
}

// readText cuts a text into parts. One that has white space alone gives nothing.
func (c Config) readText(text string, yield func(item) error) error {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	line, parts := 1, c.most(text) < len(text)
	for i := 1; text != ""; i++ {
		n := cutAt(text, c.most(text))
		part, at := text[:n], line
		line += strings.Count(part, "\n")
		text = text[n:]
		if c.PartChars > 0 {
			whole := strings.TrimLeftFunc(part, unicode.IsSpace)
			at += strings.Count(part[:len(part)-len(whole)], "\n")
			if part = strings.TrimRightFunc(whole, unicode.IsSpace); part == "" {
				i--
				continue
			}
		}
		it := item{index: i, line: at, rec: &sdk.Record{Text: part, Meta: map[string]string{}}}
		if parts {
			it.rec.Meta["source_part"] = fmt.Sprint(i)
		}
		if err := yield(it); err != nil {
			return err
		}
	}
	return nil
}

// most gives the bytes at the beginning of a text that one part may hold.
func (c Config) most(text string) int {
	if c.PartChars == 0 {
		return min(maxText, len(text))
	}
	chars := uint64(0)
	for i := range text {
		if chars == c.PartChars {
			return i
		}
		chars++
	}
	return len(text)
}

// cutAt gives the length of the first part of a text: up to the last paragraph in the second half of what a part may
// hold, else the last line, else the last word, else the last character.
func cutAt(text string, most int) int {
	if len(text) <= most {
		return len(text)
	}
	head := text[:most]
	for _, end := range []string{"\n\n", "\n", " "} {
		if i := strings.LastIndex(head, end); i >= most/2 {
			return i + len(end)
		}
	}
	n := most
	for !utf8.RuneStart(text[n]) {
		n--
	}
	return n
}

// readLines reads one object a line. A line that is too long is bad and skipped.
func (c Config) readLines(in io.Reader, yield func(item) error) error {
	r := bufio.NewReaderSize(in, 64<<10)
	for n := 1; ; n++ {
		line, err := readLine(r)
		if err == io.EOF {
			return nil
		}
		it := item{index: n, line: n}
		switch {
		case err == errLongLine:
			it.bad = err
		case err != nil:
			return fmt.Errorf("line %d: %w", n, err)
		default:
			if n == 1 {
				line = bytes.TrimPrefix(line, []byte("\ufeff"))
			}
			if len(bytes.TrimSpace(line)) == 0 {
				continue
			}
			it.rec, it.bad = c.record(line)
		}
		if err := yield(it); err != nil {
			return err
		}
	}
}

var errLongLine = fmt.Errorf("the line is longer than %d MiB", maxLine>>20)

// readLine reads up to a newline, which it leaves out, or the end of the file. io.EOF means that there is nothing more.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	long := false
	for {
		part, err := r.ReadSlice('\n')
		if long = long || len(line)+len(part) > maxLine; !long {
			line = append(line, part...)
		}
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case err == io.EOF && len(line) == 0 && !long:
			return nil, io.EOF
		case err != nil && err != io.EOF:
			return nil, err
		case long:
			return nil, errLongLine
		}
		return bytes.TrimSuffix(line, []byte("\n")), nil
	}
}

// readValues reads one object after another, or those of one array.
func (c Config) readValues(path string, data []byte, yield func(item) error) error {
	trimmed := bytes.TrimLeft(data, " \t\r\n")
	dec := json.NewDecoder(bytes.NewReader(data))
	array := len(trimmed) > 0 && trimmed[0] == '['
	line, counted := 1, 0
	where := func() int { // the line where the value after the decoder's position begins
		at := int(dec.InputOffset())
		for at < len(data) && strings.IndexByte(" \t\r\n,", data[at]) >= 0 {
			at++
		}
		line += bytes.Count(data[counted:at], []byte("\n"))
		counted = at
		return line
	}
	fail := func(err error) error { return fmt.Errorf("%s:%d: %w; what follows cannot be read", path, where(), err) }
	if array {
		if _, err := dec.Token(); err != nil {
			return fail(err)
		}
	}
	for n := 1; dec.More(); n++ {
		it := item{index: n, line: where()}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return fail(err)
		}
		it.rec, it.bad = c.record(raw)
		if err := yield(it); err != nil {
			return err
		}
	}
	if array {
		if _, err := dec.Token(); err != nil {
			return fail(err)
		}
	}
	if _, err := dec.Token(); err != io.EOF {
		return fail(errors.New("there is more after the end of the JSON"))
	}
	return nil
}

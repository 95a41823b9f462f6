package questions

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Document is a text, or a conversation, with its name: that by which records name their source, so that an item's evidence does
// too.
type Document struct {
	Name, Text string
	Turns      []Turn // of a conversation, in place of Text
}

// Passage is a part of a document that can be asked about.
type Passage struct {
	Document string
	Also     []string // other documents that have it
	Heading  string   // of the section, or what the user wrote; "": none
	Text     string   // a paragraph a line
	Digest   string   // of heading and text, not of the document's name
}

// Sizes of a passage, in characters.
const (
	maxPassage  = 1000
	minPassage  = 60
	maxHeading  = 120
	maxSentence = 400
)

// Cut cuts a document into passages: paragraphs of one section, one after the other, as long as they fit. Headings are those
// of Markdown, # or underlined. Code between fences, tables and lines of tags are left out, and the marks of lists, emphasis,
// links and code within a line are taken off. A line that is indented where the one before was not begins a paragraph, as below
// a declaration, unless it goes on with an item of a list. A paragraph that is too long is cut at its sentences, a sentence that is too
// long anywhere. The answers of a conversation are cut one by one, and what the user wrote is the heading of all that is in one.
func Cut(d Document) []Passage {
	c := &cutter{name: d.Name}
	c.cut(d.Text)
	for _, t := range d.Turns {
		c.heading, c.answers, c.fence, c.indented = heading(t.Question), true, "", false
		c.cut(t.Answer)
	}
	return c.out
}

type cutter struct {
	name, heading string
	answers       bool     // of a conversation: the heading stays
	fence         string   // that ends the code; "": there is none
	lines         []string // of the paragraph
	indented      bool     // the last of them
	list          bool     // it is an item of a list
	size          int      // of lines, in bytes
	text          []string // pieces of the passage
	length        int      // of text, in characters
	out           []Passage
}

var (
	headingLine = regexp.MustCompile(`^#{1,6}\s+(.*?)\s*#*$`)
	underline   = regexp.MustCompile(`^(=+|-{3,})$`)
	listItem    = regexp.MustCompile(`^\s*([-*+•]|\d{1,3}[.)])\s+`)
	link        = regexp.MustCompile(`!?\[([^\]\[]{0,200})\]\([^()\s]{0,500}\)`)
	anchor      = regexp.MustCompile(`\s*\{#[^{}]{0,100}\}$`)
)

func (c *cutter) cut(text string) {
	for line := range strings.Lines(text) {
		c.line(strings.TrimRight(line, " \t\n"))
	}
	c.paragraph()
	c.flush()
}

func (c *cutter) line(line string) {
	bare := strings.TrimSpace(line)
	switch {
	case c.fence != "":
		if strings.HasPrefix(bare, c.fence) {
			c.fence = ""
		}
	case strings.HasPrefix(bare, "```") || strings.HasPrefix(bare, "~~~"):
		c.paragraph()
		c.fence = bare[:3]
	case bare == "":
		c.paragraph()
	case strings.HasPrefix(bare, "|") || strings.HasPrefix(bare, "<"):
		c.paragraph()
	case headingLine.MatchString(line):
		c.begin(headingLine.FindStringSubmatch(line)[1])
	case underline.MatchString(bare) && len(c.lines) == 1:
		heading := c.lines[0]
		c.lines, c.size = nil, 0
		c.begin(heading)
	case underline.MatchString(bare):
		c.paragraph()
	default:
		indented := line[0] == ' ' || line[0] == '\t'
		if mark := listItem.FindString(line); mark != "" {
			c.paragraph()
			bare, c.list = strings.TrimSpace(line[len(mark):]), true
		} else if indented && !c.indented && !c.list {
			c.paragraph()
		}
		c.indented = indented
		c.lines, c.size = append(c.lines, bare), c.size+len(bare)
	}
}

// begin begins a section.
func (c *cutter) begin(heading string) {
	c.paragraph()
	c.flush()
	if c.answers {
		return
	}
	heading = plain(anchor.ReplaceAllString(heading, ""))
	c.heading = heading[:boundary(heading, maxHeading)]
}

// paragraph ends one.
func (c *cutter) paragraph() {
	c.list = false
	if len(c.lines) == 0 {
		return
	}
	text := plain(strings.Join(c.lines, " "))
	c.lines, c.size = nil, 0
	if runes(text) <= maxPassage {
		c.add(text)
		return
	}
	for _, s := range Sentences(text) {
		for s != "" {
			end := boundary(s, maxPassage)
			c.add(strings.TrimSpace(s[:end]))
			s = strings.TrimSpace(s[end:])
		}
	}
}

func (c *cutter) add(text string) {
	n := runes(text)
	if c.length > 0 && c.length+1+n > maxPassage {
		c.flush()
	}
	c.text, c.length = append(c.text, text), c.length+n+1
}

func (c *cutter) flush() {
	text := strings.TrimSpace(strings.Join(c.text, "\n"))
	c.text, c.length = nil, 0
	if runes(text) < minPassage {
		return
	}
	sum := sha256.Sum256([]byte(c.heading + "\x00" + text))
	c.out = append(c.out, Passage{Document: c.name, Heading: c.heading, Text: text, Digest: hex.EncodeToString(sum[:])})
}

// boundary is where n characters of a text end, in bytes.
func boundary(s string, n int) int {
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}

// plain takes off what Markdown marks within a line.
func plain(s string) string {
	s = link.ReplaceAllString(s, "$1")
	s = strings.NewReplacer("**", "", "__", "", "`", "").Replace(s)
	return strings.Join(strings.Fields(s), " ")
}

// abbreviations do not end a sentence, though a full stop follows them.
var abbreviations = []string{"e.g", "i.e", "etc", "cf", "vs", "dr", "mr", "mrs", "ms", "st", "fig", "no", "ca", "al", "sec", "z.b", "d.h", "bzw", "p.ej", "sr", "sra"}

// maxClosers is how many marks may follow the one that ends a sentence: quotes, brackets, more points.
const maxClosers = 8

// Sentences cuts a text at the ends of its sentences and of its lines.
func Sentences(text string) (all []string) {
	for line := range strings.SplitSeq(text, "\n") {
		all = append(all, sentences(line)...)
	}
	return all
}

func sentences(text string) (all []string) {
	begin := 0
	for i, r := range text {
		if i < begin || !strings.ContainsRune(".!?…。！？।", r) {
			continue
		}
		end := i + utf8.RuneLen(r)
		for n := 0; n < maxClosers && end < len(text); n++ {
			c, size := utf8.DecodeRuneInString(text[end:])
			if !strings.ContainsRune(`.!?")'»”’]`, c) {
				break
			}
			end += size
		}
		if ends(text[begin:i], r, text[end:]) {
			all = append(all, strings.TrimSpace(text[begin:end]))
			begin = end
		}
	}
	if rest := strings.TrimSpace(text[begin:]); rest != "" {
		all = append(all, rest)
	}
	return all
}

// ends says whether a mark ends a sentence, by what stands before it and after it.
func ends(before string, mark rune, after string) bool {
	if strings.ContainsRune("。！？।", mark) {
		return true
	}
	next, size := utf8.DecodeRuneInString(after)
	if after == "" {
		return true
	}
	if !unicode.IsSpace(next) {
		return false
	}
	if follows, _ := utf8.DecodeRuneInString(after[size:]); unicode.IsLower(follows) {
		return false
	}
	if mark != '.' {
		return true
	}
	word := before[strings.LastIndexFunc(before, func(r rune) bool { return unicode.IsSpace(r) || r == '(' })+1:]
	initial := runes(word) == 1 && unicode.IsUpper([]rune(word)[0])
	return !initial && !slices.Contains(abbreviations, strings.ToLower(word))
}

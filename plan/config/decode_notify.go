package config

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"jupiter/plan/addr"
	"jupiter/plan/lang"
)

// Notify says whom an apply tells of what. It is operational: no result depends on it.
type Notify struct {
	Addr    addr.Address
	Name    string
	On      []string          // of notices(), in that order
	Command []string          // program and arguments; empty: Webhook is set
	Webhook string            // "": Command is set
	Headers map[string]string // of the webhook
	Secrets []string          // sensitive values of these attributes, which nothing may show
	Timeout time.Duration     // of one notice, all tries together
	Range   hcl.Range
}

// Notices of an apply.
const (
	NoticePromotion = "promotion" // another generator is in use
	NoticeHalt      = "halt"      // the guard has stopped a cycle
	NoticeFailure   = "failure"   // the run ended with an error
	NoticeEnd       = "end"       // the run ended in another way
)

func notices() []string { return []string{NoticePromotion, NoticeHalt, NoticeFailure, NoticeEnd} }

const (
	maxHeaders = 32
	maxHeader  = 8 << 10 // bytes of a header's value, and of an address
)

// headerName is a token of HTTP.
var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$")

// ownHeaders are those that the program or its HTTP client sets.
func ownHeaders() []string {
	return []string{"connection", "content-length", "content-type", "host", "transfer-encoding"}
}

// decodeNotify decodes a notify block of the root module.
func (in *instance) decodeNotify(b *hcl.Block) *Notify {
	content, diags := b.Body.Content(notifyForm.body())
	in.l.add(diags...)
	n := &Notify{Addr: addr.Block(in.at, "notify", b.Labels...), Name: b.Labels[0], On: notices(), Timeout: defaultNotifyTimeout, Range: b.DefRange}
	if in.parent != nil {
		in.fail(b.DefRange, "Settings in a called module", "notify concerns the whole program, so it belongs into the root module.")
		return n
	}
	f := in.fields(content, notifyForm, nil)
	f.choices("on", &n.On)
	f.strs("command", &n.Command)
	f.webhook(n)
	f.headers(n)
	f.duration("timeout", &n.Timeout)
	if n.Timeout < minNotifyTimeout || n.Timeout > maxNotifyTimeout {
		f.fail("timeout", "Number out of range", "timeout must be between %s and %s, and is %s.", minNotifyTimeout, maxNotifyTimeout, n.Timeout)
	}
	command, webhook := f.attrs["command"] != nil, f.attrs["webhook"] != nil
	switch {
	case command == webhook:
		in.fail(b.DefRange, "Command or webhook", "A notify block has either command or webhook: it is one way to tell somebody.")
	case command && f.attrs["headers"] != nil:
		f.fail("headers", "Command or webhook", "headers go with a webhook, and this block has a command.")
	case command && (len(n.Command) == 0 || n.Command[0] == "" || strings.Contains(strings.Join(n.Command, ""), "\x00")):
		f.fail("command", "Invalid command", "command is a program and its arguments, such as [\"notify-send\", \"Jupiter\"], without NUL characters.")
	}
	return n
}

// choices is a list of words of its table; they come out in the table's order, each once.
func (f *fields) choices(name string, into *[]string) {
	words := f.form.attr(name, wordsValue).words
	v, ok := f.value(name, cty.List(cty.String))
	if !ok {
		return
	}
	said, ok := f.texts(name, v)
	if !ok {
		return
	}
	if len(said) == 0 {
		f.fail(name, "Unknown word", "%s is a list of %s, and empty.", name, quoted(words))
		return
	}
	for _, s := range said {
		if !contains(words, s) {
			f.fail(name, "Unknown word", "%s is a list of %s, and not %q.%s", name, quoted(words), s, lang.DidYouMean(s, words))
			return
		}
	}
	*into = slices.DeleteFunc(slices.Clone(words), func(w string) bool { return !contains(said, w) })
}

// hidden evaluates an attribute that may be sensitive. What it says of a wrong one does not show it.
func (f *fields) hidden(name string, ty cty.Type) (v cty.Value, secret, ok bool) {
	if v, ok = f.raw(name); !ok {
		return v, false, false
	}
	secret = v.ContainsMarked()
	v, _ = v.UnmarkDeep()
	out, err := convert.Convert(v, ty)
	if lang.HasRef(v.Type()) || err != nil {
		f.fail(name, "Wrong type", "%s takes %s, and this is none.", name, typeName(ty))
		return v, secret, false
	}
	return out, secret, !out.IsNull()
}

func (f *fields) webhook(n *Notify) {
	f.form.attr("webhook", textValue)
	v, secret, ok := f.hidden("webhook", cty.String)
	if !ok {
		return
	}
	n.Webhook = v.AsString()
	if secret {
		n.Secrets = append(n.Secrets, n.Webhook)
	}
	u, err := url.Parse(n.Webhook)
	if err != nil || len(n.Webhook) > maxHeader || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		f.fail("webhook", "Invalid address", "webhook is an address such as https://hooks.example.com/jupiter, of http or https.")
	}
}

func (f *fields) headers(n *Notify) {
	f.form.attr("headers", headersValue)
	v, secret, ok := f.hidden("headers", cty.Map(cty.String))
	if !ok {
		return
	}
	n.Headers = map[string]string{}
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		name := k.AsString()
		if !headerName.MatchString(name) || contains(ownHeaders(), strings.ToLower(name)) {
			f.fail("headers", "Invalid header", "%q is no name of an HTTP header that can be set here.", name)
			return
		}
		if e.IsNull() || len(e.AsString()) > maxHeader || strings.ContainsFunc(e.AsString(), unicode.IsControl) {
			f.fail("headers", "Invalid header", "The value of the header %s is a text of at most %d bytes without control characters.", name, maxHeader)
			return
		}
		n.Headers[name] = e.AsString()
	}
	if len(n.Headers) > maxHeaders {
		f.fail("headers", "Invalid header", "There are %d headers, and at most %d can be set.", len(n.Headers), maxHeaders)
	}
	if secret {
		for _, name := range slices.Sorted(maps.Keys(n.Headers)) {
			n.Secrets = append(n.Secrets, n.Headers[name])
		}
	}
}

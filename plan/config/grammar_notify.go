package config

import "time"

// The bounds of what telling somebody may take, all tries together.
const (
	defaultNotifyTimeout = 30 * time.Second
	minNotifyTimeout     = time.Second
	maxNotifyTimeout     = 10 * time.Minute
)

var notifyForm = &form{
	doc: "Whom an apply tells what has happened, by a command or over HTTP; in the root module only.",
	attrs: []attribute{
		{name: "on", kind: wordsValue, words: notices(), otherwise: "all", doc: "What is told: a promotion, a halt by the guard, the end of a run with an error, its end in any other way."},
		{name: "command", kind: textsValue, doc: "Program and arguments; it gets the notice as JSON on its standard input."},
		{name: "webhook", kind: textValue, doc: "An http or https address that the notice is posted to as JSON. It may be sensitive."},
		{name: "headers", kind: headersValue, doc: "HTTP headers of the webhook, by name. They may be sensitive."},
		{name: "timeout", kind: spanValue, def: defaultNotifyTimeout.String(), doc: "For one notice, all tries together: 1s to 10m."},
	},
}

package openai

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"jupiter/plugins/sdk"
)

// config is the configuration of a generator. model, samples, seed and prices are the core's.
type config struct {
	BaseURL   string `jupiter:"base_url" desc:"Where the server is, with the version of its interface: \"http://127.0.0.1:8080/v1\". Not needed where serve starts it."`
	ModelName string `jupiter:"model_name" desc:"The model's name at the server. By default the only one that the server lists."`
	APIKeyEnv string `jupiter:"api_key_env,environment,effect=none" desc:"Name of the environment variable that holds the key of the server."`
	API       string `jupiter:"api" default:"\"auto\"" desc:"How prompts are put: chat, completions, or auto: prompts without a system message to a GGUF file of ours are completions, all else is chat."`

	Temperature float64         `jupiter:"temperature" default:"1" desc:"Randomness of the texts; 0: always the likeliest token."`
	TopP        float64         `jupiter:"top_p" default:"1" desc:"Draw from the fewest likeliest tokens that have this probability together. 1: from all."`
	MaxTokens   uint32          `jupiter:"max_tokens" default:"256" desc:"Tokens after which a text is cut. A sample that was cut is marked, and is never trained on."`
	Stop        []string        `jupiter:"stop" desc:"A text ends before the first of these strings."`
	JSONSchema  json.RawMessage `jupiter:"json_schema" desc:"A JSON Schema that texts are to fit, as an object. Needs chat, and a server that can hold a model to it."`
	Logprobs    bool            `jupiter:"logprobs" default:"false" desc:"Ask for the log-probability of each token; a sample's mean is kept as logprob in its meta, where the server gives it."`
	Extra       json.RawMessage `jupiter:"extra" desc:"More parameters of each request, as an object: { top_k = 40 }."`
	Omit        []string        `jupiter:"omit" desc:"Parameters that requests leave out because the server refuses them, such as \"seed\" or \"temperature\"."`

	BatchSize      uint32  `jupiter:"batch_size,effect=none" default:"32" desc:"Most texts in work at a time. How many there are follows from how the server copes."`
	TimeoutSeconds float64 `jupiter:"timeout_seconds,effect=none" default:"300" desc:"How long an answer may take."`
	MaxRetries     uint32  `jupiter:"max_retries,effect=none" default:"8" desc:"How often a request is made again that may succeed another time."`

	Serve *serve `jupiter:"serve,block" desc:"A server that is started on this machine for as long as it is needed."`
}

// serve says how a server is started. In texts {model}, {port} and {dir} stand for the GGUF file, the port and a directory
// that the server may write to.
type serve struct {
	Command      string            `jupiter:"command,required" desc:"The program: a name on the PATH, or a path."`
	Args         []string          `jupiter:"args" default:"[\"--model\", \"{model}\", \"--host\", \"127.0.0.1\", \"--port\", \"{port}\"]" desc:"Its arguments."`
	Env          map[string]string `jupiter:"env" desc:"Environment variables besides those that a plugin has."`
	Port         uint16            `jupiter:"port,effect=none" default:"0" desc:"Port on the loopback interface. 0: any that is free."`
	Path         string            `jupiter:"path,effect=none" default:"\"/v1\"" desc:"Path of the interface."`
	Ready        string            `jupiter:"ready,effect=none" default:"\"/health\"" desc:"Path that answers with status 200 once the server can be asked."`
	StartSeconds float64           `jupiter:"start_seconds,effect=none" default:"120" desc:"How long it may take to be ready."`
	IdleSeconds  float64           `jupiter:"idle_seconds,effect=none" default:"30" desc:"How long it is kept when nothing is asked of it."`
}

// Most that a configuration may ask for.
const (
	maxConcurrency = 1 << 10
	maxSeconds     = 24 * 3600
	maxRetries     = 100
)

var (
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	ours         = []string{"model", "prompt", "messages", "stream", "n"} // parameters that are not the user's to give
)

// ValidateModels finds what is missing where the models of a cycle are to be run: a promoted student is, and so is the base that
// a trainer makes.
func (c config) ValidateModels() []*sdk.Diagnostic {
	if err := c.runsModels(); err != nil {
		return []*sdk.Diagnostic{sdk.Error("Models cannot be run", fmt.Sprintf("This generator is to run models that are made here, each student among them, and %v. "+
			"Or name another generator that runs students in self_improvement, as in successor = generator.llama.student.", err), "serve")}
	}
	return nil
}

// Validate finds what the schema cannot.
func (c config) Validate() []*sdk.Diagnostic {
	var out []*sdk.Diagnostic
	bad := func(summary, attribute, format string, args ...any) {
		out = append(out, sdk.Error(summary, fmt.Sprintf(format, args...), attribute))
	}
	between := func(attribute string, v, least, most float64, what string) {
		if !(v >= least && v <= most) {
			bad("Value out of range", attribute, "%s is %g: it must lie between %g and %g%s.", attribute, v, least, most, what)
		}
	}
	if c.BaseURL == "" && c.Serve == nil {
		bad("No server", "base_url", `There is neither base_url, as in base_url = "http://127.0.0.1:8080/v1", nor a block serve that starts a server.`)
	}
	out = append(out, c.checkURL()...)
	if c.APIKeyEnv != "" && !variableName.MatchString(c.APIKeyEnv) {
		bad("No name of a variable", "api_key_env", "api_key_env is the name of an environment variable, such as OPENAI_API_KEY, and not the key itself.")
	}
	if !slices.Contains([]string{"auto", "chat", "completions"}, c.API) {
		bad("Unknown interface", "api", "api is %q: it is auto, chat or completions.", c.API)
	}
	between("temperature", c.Temperature, 0, 100, "")
	if !(c.TopP > 0 && c.TopP <= 1) {
		bad("Value out of range", "top_p", "top_p is %g: it must be above 0 and at most 1. 1 switches it off.", c.TopP)
	}
	between("max_tokens", float64(c.MaxTokens), 1, math.MaxInt32, "")
	if i := slices.Index(c.Stop, ""); i >= 0 {
		out = append(out, sdk.Error("Empty stop string", "Every text contains the empty string, so every text would end at once.", "stop", fmt.Sprint(i)))
	}
	between("batch_size", float64(c.BatchSize), 1, maxConcurrency, "")
	between("timeout_seconds", c.TimeoutSeconds, 0.001, maxSeconds, "")
	between("max_retries", float64(c.MaxRetries), 0, maxRetries, "")
	if _, err := object(c.JSONSchema); err != nil {
		bad("No JSON Schema", "json_schema", "json_schema is an object, as in { type = \"object\", properties = { … } }: %v.", err)
	} else if !empty(c.JSONSchema) && c.API == "completions" {
		bad("Schema without chat", "json_schema", `A JSON Schema goes with chat, and api is "completions".`)
	}
	extra, err := object(c.Extra)
	if err != nil {
		bad("No parameters", "extra", "extra is an object of parameters, as in { top_k = 40 }: %v.", err)
	}
	for _, name := range ours {
		if _, there := extra[name]; there || slices.Contains(c.Omit, name) {
			attribute := "omit"
			if there {
				attribute = "extra"
			}
			bad("Parameter of its own", attribute, "%s names the parameter %q, which this generator sets by itself.", attribute, name)
		}
	}
	return append(out, c.Serve.validate()...)
}

func (c config) checkURL() []*sdk.Diagnostic {
	if c.BaseURL == "" {
		return nil
	}
	u, err := url.Parse(c.BaseURL)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "":
		return []*sdk.Diagnostic{sdk.Error("No address of a server", `base_url is an address such as "http://127.0.0.1:8080/v1" or "https://api.example.com/v1", without anything behind the path.`, "base_url")}
	case u.User != nil:
		return []*sdk.Diagnostic{sdk.Error("Secret in an address", "base_url is written into plans and the state, so it can hold no name and no password. A key goes into an environment variable that api_key_env names.", "base_url")}
	case u.Scheme == "http" && c.APIKeyEnv != "" && !loopback(u.Hostname()):
		return []*sdk.Diagnostic{sdk.Warning("Key in the clear", "The key goes to the server over http, where anybody on the way can read it. With https nobody can.", "base_url")}
	}
	return nil
}

func loopback(host string) bool {
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}

func (s *serve) validate() []*sdk.Diagnostic {
	if s == nil {
		return nil
	}
	var out []*sdk.Diagnostic
	bad := func(attribute, format string, args ...any) {
		out = append(out, sdk.Error("Server that cannot be started", fmt.Sprintf(format, args...), "serve", attribute))
	}
	if s.Command == "" {
		bad("command", "serve.command is empty: it is the program, such as \"llama-server\".")
	}
	for _, p := range []struct{ name, path string }{{"path", s.Path}, {"ready", s.Ready}} {
		if !strings.HasPrefix(p.path, "/") {
			bad(p.name, "serve.%s is %q: it is the path of an address, and begins with a slash.", p.name, p.path)
		}
	}
	if !(s.StartSeconds > 0 && s.StartSeconds <= maxSeconds) {
		bad("start_seconds", "serve.start_seconds is %g: it must be above 0 and at most %d.", s.StartSeconds, maxSeconds)
	}
	if !(s.IdleSeconds >= 0 && s.IdleSeconds <= maxSeconds) {
		bad("idle_seconds", "serve.idle_seconds is %g: it must lie between 0 and %d.", s.IdleSeconds, maxSeconds)
	}
	if s.Port == 0 && !s.mentions("{port}") {
		bad("port", "Neither args nor env says which port to use: put {port} where the server reads it, or give its number as serve.port.")
	}
	for name := range s.Env {
		if !variableName.MatchString(name) {
			bad("env", "serve.env has %q, which is no name of a variable.", name)
		}
	}
	return out
}

// mentions says whether a placeholder is anywhere in what the server is given.
func (s *serve) mentions(placeholder string) bool {
	for _, a := range s.Args {
		if strings.Contains(a, placeholder) {
			return true
		}
	}
	for _, v := range s.Env {
		if strings.Contains(v, placeholder) {
			return true
		}
	}
	return false
}

// key is the server's key: "" where there is none.
func (c config) key() (string, error) {
	if c.APIKeyEnv == "" {
		return "", nil
	}
	k := strings.TrimSpace(os.Getenv(c.APIKeyEnv))
	if k == "" {
		return "", fmt.Errorf("the environment variable %s, which api_key_env names, is not set: set it to the server's key", c.APIKeyEnv)
	}
	return k, nil
}

// empty says whether a value of any type is not there.
func empty(j json.RawMessage) bool { return len(j) == 0 || string(j) == "null" }

// object reads a value that is an object or not there.
func object(j json.RawMessage) (map[string]json.RawMessage, error) {
	if empty(j) {
		return nil, nil
	}
	m := map[string]json.RawMessage{}
	if err := json.Unmarshal(j, &m); err != nil {
		return nil, fmt.Errorf("this is none")
	}
	return m, nil
}

package openai

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"jupiter/plugins/sdk"
)

// identityWithin is how long a server may take to say what it runs.
const identityWithin = 30 * time.Second

// Fingerprint is what the server says of the model that it runs: its entry in the list of models without the time, and what
// llama-server and Ollama say besides. It is asked of a block without the attribute model.
func (c config) Fingerprint(ctx context.Context) (string, error) {
	servers := newServers(time.Now)
	defer servers.close()
	e, release, err := endpointOf(ctx, servers, c, nil)
	if err != nil {
		return "", err
	}
	defer release()
	id, err := e.identity(ctx)
	if err != nil {
		return "", err
	}
	return id.String(), nil
}

// An identity is what a server says of a model.
type identity struct {
	Name   string         // at the server
	Listed bool           // it is in the server's list
	Facts  map[string]any // what else there is to tell it by
}

// String names the model, and has a digest of the rest.
func (id *identity) String() string {
	b, err := json.Marshal(id.Facts)
	if err != nil {
		b = fmt.Append(nil, err) // cannot happen: it was JSON
	}
	name := id.Name
	if len(name) > 200 {
		name = name[:200]
	}
	return fmt.Sprintf("%s sha256:%x", clip(name), sha256.Sum256(b))
}

// identity asks a server what it runs. What some servers do not have may be absent; a server that cannot be asked is an
// error, so that one that is down is not taken for another one.
func (e *endpoint) identity(ctx context.Context) (*identity, error) {
	ctx, cancel := context.WithTimeout(ctx, identityWithin)
	defer cancel()
	id, err := e.entry(ctx)
	if err != nil {
		return nil, err
	}
	root := strings.TrimSuffix(e.base, "/v1")
	var props struct { // llama-server
		Path     string `json:"model_path"`
		Template string `json:"chat_template"`
	}
	if there, err := e.describe(ctx, http.MethodGet, root+"/props", nil, &props); err != nil {
		return nil, err
	} else if there && props.Path != "" {
		id.Facts["model_path"], id.Facts["chat_template"] = props.Path, props.Template
	}
	var tags struct { // Ollama
		Models []struct {
			Name   string `json:"name"`
			Digest string `json:"digest"`
		} `json:"models"`
	}
	if _, err = e.describe(ctx, http.MethodGet, root+"/api/tags", nil, &tags); err != nil {
		return nil, err
	}
	for _, m := range tags.Models {
		if sameModel(m.Name, id.Name) && m.Digest != "" {
			id.Facts["digest"] = m.Digest
		}
	}
	return id, nil
}

// entry is what the server's list says of the model.
func (e *endpoint) entry(ctx context.Context) (*identity, error) {
	id := &identity{Name: e.model, Facts: map[string]any{}}
	var list struct {
		Data []map[string]any `json:"data"`
	}
	there, err := e.describe(ctx, http.MethodGet, e.base+"/models", nil, &list)
	if err != nil || !there {
		return id, err
	}
	return id, id.listed(e.base, list.Data)
}

// only is the name of the one model that a server lists; "": it lists none, and may need none.
func (e *endpoint) only(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, identityWithin)
	defer cancel()
	id, err := e.entry(ctx)
	if f := (*failure)(nil); errors.As(err, &f) && f.kind != refused {
		return "", sdk.Transient(err)
	}
	return id.Name, err
}

// listed finds the model in the server's list.
func (id *identity) listed(base string, list []map[string]any) error {
	var names []string
	for _, m := range list {
		name, _ := m["id"].(string)
		if len(names) < 10 {
			names = append(names, name)
		}
		if sameModel(name, id.Name) || id.Name == "" && len(list) == 1 {
			for _, moment := range []string{"created", "permission", "status"} { // of the question, and of what is loaded just now
				delete(m, moment)
			}
			id.Name, id.Listed, id.Facts["entry"] = name, true, m
			return nil
		}
	}
	switch {
	case len(list) == 0 && id.Name != "":
		return nil // a server that lists nothing says nothing
	case len(list) == 0:
		return fmt.Errorf("%s lists no model: load one, or name it with model_name", base)
	case id.Name == "":
		return fmt.Errorf("%s has %d models: name one of them with model_name: %s", base, len(list), clip(strings.Join(names, ", ")))
	}
	return fmt.Errorf("%s has no model %q; it has %s", base, id.Name, clip(strings.Join(names, ", ")))
}

// sameModel compares names; Ollama's tag :latest goes without saying.
func sameModel(a, b string) bool {
	return strings.TrimSuffix(a, ":latest") == strings.TrimSuffix(b, ":latest") && b != ""
}

// describe reads what a server says of itself. False: this server has no such thing.
func (e *endpoint) describe(ctx context.Context, method, address string, body []byte, into any) (bool, error) {
	status, header, answer, err := e.send(ctx, method, address, body)
	switch {
	case err != nil:
		return false, e.broken(ctx, err, identityWithin)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		if address == e.base+"/models" {
			return false, e.refusal(status, header, answer)
		}
		return false, nil
	case status == http.StatusTooManyRequests || status >= 500 && status != http.StatusNotImplemented:
		return false, e.refusal(status, header, answer)
	case status != http.StatusOK:
		return false, nil
	}
	return json.Unmarshal(answer, into) == nil, nil // something else is there, such as a page for people
}

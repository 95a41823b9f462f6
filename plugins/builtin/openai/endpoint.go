package openai

import (
	"context"
	"errors"
	"strings"

	"jupiter/plugins/builtin/llama"
	"jupiter/plugins/sdk"
)

// errNoModel is a block whose server runs a file, without a file to run.
var errNoModel = errors.New(`there is no model to run: serve starts its server on {model}, so name the trainer that makes it, as in model = trainer.llama.base, or a model from elsewhere, as in model = "models/base.gguf"`)

// endpoint finds the server that a call is for, and starts it where it is one of ours. The caller must release it.
func (g *generator) endpoint(ctx context.Context, cfg config, model *sdk.Artifact) (*endpoint, func(), error) {
	e, release, err := endpointOf(ctx, g.servers, cfg, model)
	if err != nil || e.model != "" || e.gguf {
		return e, release, err
	}
	if e.model, err = e.only(ctx); err != nil {
		release()
		return nil, nil, err
	}
	return e, release, nil
}

// runsModels says why a model that is handed to this configuration would not be run.
func (c config) runsModels() error {
	switch {
	case c.Serve == nil:
		return errors.New(`no server runs a model of ours: add a block serve, such as serve { command = "llama-server" }`)
	case !c.Serve.mentions("{model}"):
		return errors.New("serve does not give a model of ours to its server: put {model} where the server reads the path of a GGUF file")
	}
	return nil
}

func endpointOf(ctx context.Context, servers *servers, cfg config, model *sdk.Artifact) (*endpoint, func(), error) {
	file := ""
	switch {
	case model == nil && cfg.BaseURL != "":
		key, err := cfg.key()
		if err != nil {
			return nil, nil, err
		}
		client := newHTTP(int(cfg.BatchSize))
		e := &endpoint{base: strings.TrimRight(cfg.BaseURL, "/"), model: cfg.ModelName, key: key, http: client}
		return e, client.CloseIdleConnections, nil
	case model == nil && cfg.Serve.mentions("{model}"):
		return nil, nil, errNoModel
	case model != nil:
		err := cfg.runsModels()
		if err != nil {
			return nil, nil, err
		}
		if file, err = llama.File(model); err != nil {
			return nil, nil, err
		}
	}
	s, err := servers.get(ctx, *cfg.Serve, file)
	if err != nil {
		return nil, nil, err
	}
	client := newHTTP(int(cfg.BatchSize))
	e := &endpoint{base: s.address + strings.TrimRight(cfg.Serve.Path, "/"), model: cfg.ModelName, gguf: file != "", http: client, ended: s.gone}
	return e, func() {
		client.CloseIdleConnections()
		servers.release(s)
	}, nil
}

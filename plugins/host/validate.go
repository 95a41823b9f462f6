package host

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/schema"
)

// Item is one configuration to validate.
type Item struct {
	Kind, Type string
	Config     []byte // JSON, as schema.CanonicalJSON gives it
	RunsModels bool   // of a generator: models will be handed to it
}

// maxValidate bounds the configurations of one call, in bytes.
const maxValidate = 1 << 20

// Validate asks the plugins about configurations, all plugins at once and with few calls: one a plugin, unless they are too
// many for a message.
// The result has the diagnostics of each item, in the items' order.
func (h *Host) Validate(ctx context.Context, items []Item) ([][]schema.Diagnostic, error) {
	all := make([][]schema.Diagnostic, len(items))
	byPlugin := map[string][]int{}
	var order []*Stage
	for i, it := range items {
		s, err := h.Stage(ctx, it.Kind, it.Type)
		if err != nil {
			return nil, err
		}
		if byPlugin[s.Schema.Plugin] == nil {
			order = append(order, s)
		}
		byPlugin[s.Schema.Plugin] = append(byPlugin[s.Schema.Plugin], i)
	}
	errs := make([]error, len(order))
	var wg sync.WaitGroup
	for k, s := range order {
		indexes := byPlugin[s.Schema.Plugin]
		theirs := make([]Item, len(indexes))
		for j, i := range indexes {
			theirs[j] = items[i]
		}
		wg.Go(func() { // each plugin has a process to start
			var diags [][]schema.Diagnostic
			if diags, errs[k] = validate(ctx, s.conn, theirs); errs[k] != nil {
				return
			}
			for j, i := range indexes {
				all[i] = diags[j]
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// validate asks one plugin. An item's address in the request is its index.
func validate(ctx context.Context, c *conn, items []Item) ([][]schema.Diagnostic, error) {
	all := make([][]schema.Diagnostic, len(items))
	client := pluginv1.NewPluginClient(c)
	for start := 0; start < len(items); {
		req, size, end := &pluginv1.ValidateRequest{}, 0, start
		for ; end < len(items) && (end == start || size+len(items[end].Config) <= maxValidate); end++ {
			it := items[end]
			size += len(it.Config) + 64
			req.Items = append(req.Items, &pluginv1.ValidateItem{
				Address: strconv.Itoa(end), Kind: schema.KindOf(it.Kind), Stage: it.Type, Config: &pluginv1.Config{Json: it.Config}, RunsModels: it.RunsModels,
			})
		}
		resp, err := client.Validate(ctx, req)
		if err != nil {
			return nil, err
		}
		for _, d := range resp.Diagnostics {
			i, err := strconv.Atoi(d.Address)
			if d.Address == "" && end-start == 1 {
				i, err = start, nil
			}
			if err != nil || i < start || i >= end {
				return nil, &ProtocolError{Plugin: c.pool.name, Version: c.version, Detail: fmt.Sprintf("a diagnostic for the address %.40q, which it was not asked about", d.Address)}
			}
			said := schema.DiagnosticFromProto(d)
			said.Summary, said.Detail = c.pool.host.Hide(said.Summary), c.pool.host.Hide(said.Detail)
			all[i] = append(all[i], said)
		}
		for i := start; i < end; i++ {
			all[i] = schema.Fewer(c.pool.name, all[i])
		}
		start = end
	}
	return all, nil
}

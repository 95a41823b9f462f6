package older

import (
	"fmt"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"jupiter/plan/lang/yamlbody"
)

// domainFile are the keys of a domain's file.
func domainFile() []string {
	return []string{"domain", "data_sources", "generation", "template_weights", "evaluation", "mix_ratio"}
}

// domain translates the keys of a domain's file into one block.
func (f *File) domain(top map[string]yamlbody.Pair) {
	var first *yaml.Node
	for _, key := range domainFile() {
		if p, ok := top[key]; ok && (first == nil || p.Key.Line < first.Line) {
			first = p.Key
		}
	}
	if first == nil {
		return
	}
	head, ok := top["domain"]
	if !ok {
		f.wrong(first, "A domain's file has domain: with its name and description, and this one has none.")
		return
	}
	b := &Block{Type: "domain", from: head.Key}
	pairs := f.fields(head, "name, description, language, keywords and negative_keywords")
	for _, p := range pairs {
		if v := yamlbody.Follow(p.Value); p.Name() == "name" && v.Kind == yaml.ScalarNode && strings.TrimSpace(v.Value) != "" && !null(v) {
			b.Labels, b.name = []string{identifier(v.Value, "domain")}, v
			if b.Labels[0] != v.Value {
				b.notes = append(b.notes, fmt.Sprintf("Its name was %q.", v.Value))
			}
		}
	}
	if b.Labels == nil {
		f.wrong(head.Key, "domain.name is missing: the domain's name, as a text.")
		return
	}
	own := []string{"description", "language", "keywords", "negative_keywords"}
	f.take(b, pairs, own...)
	f.unknown(pairs, &b.notes, "domain", append(own, "name")...)
	mix := f.mix(b, top["mix_ratio"])
	f.sources(b, top["data_sources"], mix)
	f.generation(b, top, mix)
	f.evaluation(b, top["evaluation"])
	f.Blocks = append(f.Blocks, b)
}

// mix takes mix_ratio and gives the names of its buckets.
func (f *File) mix(b *Block, p yamlbody.Pair) (buckets []string) {
	if p.Key == nil {
		return nil
	}
	for _, share := range f.fields(p, "a share for each bucket") {
		buckets = append(buckets, share.Name())
	}
	if v := yamlbody.Follow(p.Value); v.Kind == yaml.MappingNode {
		b.add(attr{name: "mix_ratio", from: p.Key, value: f.literal(v)})
	}
	return buckets
}

// bucket finds the bucket that something fills: the first name that mix_ratio has, or else the only bucket of its side.
// Without either it is the first name, which the rules then say is not in mix_ratio.
func bucket(mix []string, side string, names ...string) string {
	for _, n := range names {
		if contains(mix, n) {
			return n
		}
	}
	var own []string
	for _, m := range mix {
		if strings.HasPrefix(m, side) {
			own = append(own, m)
		}
	}
	if len(own) == 1 {
		return own[0]
	}
	return names[0]
}

// sources translates data_sources.
func (f *File) sources(b *Block, p yamlbody.Pair, mix []string) {
	if p.Key == nil {
		return
	}
	pairs := f.fields(p, "documentation, github, websites and huggingface_datasets")
	source := func(typ, name, bucket string, from *yaml.Node, attrs ...attr) *Block {
		s := &Block{Type: "source", Labels: []string{typ, name}, from: from, attrs: append([]attr{{name: "bucket", from: from, value: f.scalar(bucket, from)}}, attrs...)}
		b.blocks = append(b.blocks, s)
		return s
	}
	for _, p := range pairs {
		switch p.Name() {
		case "documentation":
			var urls, paths []*yaml.Node
			for _, e := range f.texts(p) {
				if strings.Contains(yamlbody.Follow(e).Value, "://") {
					urls = append(urls, f.literal(e))
				} else {
					paths = append(paths, f.path(e))
				}
			}
			to := bucket(mix, "real", "real_docs", "real_documentation")
			if urls != nil {
				source("docs", "documentation", to, p.Key, attr{name: "urls", from: p.Key, value: f.list(urls, p.Value)})
			}
			if paths != nil {
				source("files", "documentation", to, p.Key, attr{name: "paths", from: p.Key, value: f.list(paths, p.Value)})
			}
		case "github":
			f.github(p, bucket(mix, "real", "real_code", "real_github"), source)
		case "websites":
			if urls := f.texts(p); len(urls) > 0 {
				source("web", "websites", bucket(mix, "real", "real_web", "real_websites", "real_docs"), p.Key,
					attr{name: "urls", from: p.Key, value: f.literal(p.Value)})
			}
		case "huggingface_datasets":
			if sets := f.texts(p); len(sets) > 0 {
				source("dataset", "huggingface", bucket(mix, "real", "real_datasets", "real_data", "real_docs"), p.Key,
					attr{name: "names", from: p.Key, value: f.literal(p.Value)})
			}
		}
	}
	f.unknown(pairs, &b.notes, "data_sources", "documentation", "github", "websites", "huggingface_datasets")
}

// github translates a list of repositories, with or without which of their files count.
func (f *File) github(p yamlbody.Pair, bucket string, source func(typ, name, bucket string, from *yaml.Node, attrs ...attr) *Block) {
	repos, pairs := p, []yamlbody.Pair(nil)
	if yamlbody.Follow(p.Value).Kind != yaml.SequenceNode {
		repos = yamlbody.Pair{}
		for _, r := range f.fields(p, "repos, file_types and exclude_patterns") {
			if r.Name() == "repos" {
				repos = r
			}
			pairs = append(pairs, r)
		}
	}
	var urls []*yaml.Node
	if repos.Key != nil {
		for _, e := range f.texts(repos) {
			u := yamlbody.Follow(e).Value
			if !strings.Contains(u, "://") && strings.Count(u, "/") == 1 { // owner/name
				u = "https://github.com/" + u
			}
			urls = append(urls, f.scalar(escape(u), e))
		}
	}
	own := []string{"file_types", "exclude_patterns", "max_file_size_kb"}
	if urls == nil {
		for _, q := range pairs {
			if contains(own, q.Name()) && !empty(q.Value) {
				f.lost(q, &f.notes, "It belongs to repositories, and github.repos lists none.")
			}
		}
		f.unknown(pairs, &f.notes, "data_sources.github", append(own, "repos")...)
		return
	}
	s := source("git", "github", bucket, p.Key, attr{name: "repos", from: repos.Key, value: f.list(urls, repos.Value)})
	f.take(s, pairs, own...)
	f.unknown(pairs, &s.notes, "data_sources.github", append(own, "repos")...)
}

func empty(n *yaml.Node) bool {
	n = yamlbody.Follow(n)
	return null(n) || n.Kind != yaml.ScalarNode && len(n.Content) == 0
}

// generation translates the templates and their weights.
func (f *File) generation(b *Block, top map[string]yamlbody.Pair, mix []string) {
	weights := top["template_weights"]
	var templates yamlbody.Pair
	if p, ok := top["generation"]; ok {
		pairs := f.fields(p, "templates and template_weights")
		for _, q := range pairs {
			switch q.Name() {
			case "templates":
				templates = q
			case "template_weights":
				if weights.Key != nil {
					f.wrong(q.Key, "template_weights stands below generation and at the top of the file; one of them has to go.")
				}
				weights = q
			}
		}
		f.unknown(pairs, &b.notes, "generation", "templates", "template_weights")
	}
	var made []*Block
	perType := map[string]int{}
	if templates.Key != nil {
		list := yamlbody.Follow(templates.Value)
		if list.Kind != yaml.SequenceNode && !null(list) {
			f.wrong(list, "templates is a list of mappings, each with its type and prompt.")
			return
		}
		unique := names{}
		for _, e := range list.Content {
			if t := f.template(e, unique, mix); t != nil {
				made = append(made, t)
				perType[t.kind()]++
			}
		}
	}
	f.weigh(b, made, perType, weights)
	b.blocks = append(b.blocks, made...)
}

// kind is a template's type as it was written.
func (b *Block) kind() string {
	for _, a := range b.attrs {
		if a.name == "type" {
			return yamlbody.Follow(a.value).Value
		}
	}
	return ""
}

// template translates one template.
func (f *File) template(e *yaml.Node, unique names, mix []string) *Block {
	if yamlbody.Follow(e).Kind != yaml.MappingNode {
		f.wrong(e, "Each template is a mapping with its type and prompt.")
		return nil
	}
	pairs := yamlbody.Pairs(e)
	typ, at := "", e
	for _, p := range pairs {
		if v := yamlbody.Follow(p.Value); p.Name() == "type" && v.Kind == yaml.ScalarNode && !null(v) {
			typ, at = v.Value, v
		}
	}
	if strings.TrimSpace(typ) == "" {
		f.wrong(e, "The template has no type, which names it and finds its bucket and its weight.")
		return nil
	}
	name := identifier(typ, "template")
	t := &Block{Type: "template", Labels: []string{unique.unique(name)}, from: e, name: at}
	own := []string{"type", "system_prompt", "prompt", "topics", "tasks", "values", "bucket"}
	if !given(pairs, "bucket") {
		t.add(attr{name: "bucket", from: at, value: f.scalar(templateBucket(name, mix), at)})
	}
	f.take(t, pairs, own...)
	f.unknown(pairs, &t.notes, "a template", own...)
	return t
}

// given says whether a mapping has a key with a value.
func given(pairs []yamlbody.Pair, name string) bool {
	for _, p := range pairs {
		if p.Name() == name && !null(yamlbody.Follow(p.Value)) {
			return true
		}
	}
	return false
}

// templateBucket finds the bucket of a type of template: its name, its plural, or a name that one begins the other of,
// such as synthetic_debug for debugging.
func templateBucket(typ string, mix []string) string {
	var close []string
	for _, m := range mix {
		if rest, ok := strings.CutPrefix(m, "synthetic_"); ok {
			if rest = strings.TrimSuffix(rest, "s"); rest != "" && (strings.HasPrefix(typ, rest) || strings.HasPrefix(rest, typ)) {
				close = append(close, m)
			}
		}
	}
	candidates := []string{"synthetic_" + typ, "synthetic_" + typ + "s"}
	if len(close) == 1 {
		candidates = append(candidates, close[0])
	}
	return bucket(mix, "synthetic", candidates...)
}

// weigh gives each template its weight. Templates of one type share theirs.
func (f *File) weigh(b *Block, templates []*Block, perType map[string]int, p yamlbody.Pair) {
	if p.Key == nil {
		return
	}
	for _, w := range f.fields(p, "a weight for each type of template") {
		n := perType[w.Name()]
		if n == 0 {
			f.lost(w, &b.notes, "No template is of this type, so the weights of the others may not sum to 1.")
			continue
		}
		value := w.Value
		if n > 1 {
			x, err := strconv.ParseFloat(yamlbody.Follow(w.Value).Value, 64)
			if err != nil {
				f.wrong(w.Value, "The weight of %s is a number.", w.Name())
				continue
			}
			value = f.number(x/float64(n), w.Value)
		}
		for _, t := range templates {
			if t.kind() == w.Name() {
				t.add(attr{name: "weight", from: w.Key, value: f.literal(value)})
			}
		}
	}
}

// evaluation translates what the domain is judged on.
func (f *File) evaluation(b *Block, p yamlbody.Pair) {
	if p.Key == nil {
		return
	}
	e := &Block{Type: "evaluation", from: p.Key}
	pairs := f.fields(p, "benchmarks, custom_eval_file, min_accuracy and min_coherence")
	own := []string{"benchmarks", "min_accuracy", "min_coherence"}
	f.take(e, pairs, own...)
	for _, q := range pairs {
		if v := yamlbody.Follow(q.Value); q.Name() == "custom_eval_file" && !null(v) {
			if v.Kind != yaml.ScalarNode {
				f.wrong(v, "custom_eval_file is the path of a file.")
				continue
			}
			e.add(attr{name: "custom_eval_file", from: q.Key, value: f.path(q.Value)})
		}
	}
	f.unknown(pairs, &e.notes, "evaluation", append(own, "custom_eval_file")...)
	b.blocks = append(b.blocks, e)
}

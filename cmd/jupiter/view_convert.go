package main

import (
	"fmt"

	"jupiter/plugins/schema"
)

// viewConversion says what was read and what was written.
func viewConversion(w *world, c conversion) {
	name := map[string]string{"gguf": "GGUF", "huggingface": "Hugging Face"}
	chat := "without a chat template"
	if c.ChatTemplate {
		chat = "with a chat template"
	}
	fmt.Fprintf(w.out, "Read %s: %s of %s, %s.\n", c.Source.Path, name[c.Source.Format], list(c.Source.DTypes), sizeText(c.Source.Bytes))
	fmt.Fprintf(w.out, "  model      %s, %d parameters: %v\n", c.Architecture, c.Parameters, c.Shape)
	fmt.Fprintf(w.out, "  tokenizer  %d tokens, %s\n", c.Tokens, chat)
	for _, note := range c.Notes {
		fmt.Fprintf(w.out, "  note       %s\n", schema.Printable(note, 300))
	}
	if c.Adapter != nil {
		fmt.Fprintf(w.out, "Merged %s.\n", *c.Adapter)
	}
	fmt.Fprintf(w.out, "Wrote %s: %s of %s, %s.\n", c.Model.Path, name[c.Model.Format], list(c.Model.DTypes), sizeText(c.Model.Bytes))
}

// Package older reads the form that domains and clusters had before the present language: config/cluster.yaml and
// config/domains/*.yaml of a project.
//
//	domain:            name, description, language, keywords, negative_keywords
//	data_sources:      documentation, websites, huggingface_datasets: lists; github: repos, file_types, exclude_patterns
//	generation:        templates: a list of type, prompt, system_prompt, topics, tasks; template_weights: by type.
//	                   A template may also have values and bucket, which are the present ones
//	evaluation:        benchmarks, custom_eval_file, min_accuracy, min_coherence
//	mix_ratio:         shares by bucket, real_… and synthetic_…
//
//	backend, sync_every_n_steps, gradient_compression, checkpoint_on_failure, auto_restart_failed_nodes
//	nodes:             a list of host, name, role and what the machine has
//	self_improvement:  the cycle's settings
//
// There is one translation, into Blocks of the present language. It is read as a body, with the positions of the older
// file, where a project is loaded as it is; and it is written as HCL where a file is imported. Two things are found that
// the older form does not say: the kind of a source, from the key that lists it, and the bucket that a source or a
// template fills, from the names in mix_ratio. What the present language has no word for is a warning, with its place;
// nothing is dropped without one but nulls and empty lists. What the rules of the language say about the result is not
// this package's business.
//
// Texts of the older form are texts: ${ in them has no meaning, and gets none. The self_improvement mapping is the
// exception, since its keys and values are the present ones.
package older

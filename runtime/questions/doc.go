// Package questions makes a benchmark out of documents: passages, questions, answers, distractors, and the rules that
// a question must pass. It is pure. It never asks a model itself, but says what is to be asked, and goes on with the answers.
//
// # From documents to items
//
//	document ──Cut──► passages ──► asked for questions ──Parse──► candidates ─┐
//	                     └──► sentences with a blank ───────────► candidates ─┴─ rules ─► second pass ─► Finish ─► items
//
// A document may be a conversation. What the assistant says in it are its passages, headed by what the user wrote before.
//
// There are two kinds of items. A question is written by a teacher, who is shown a passage. A cloze is a sentence of a
// passage with its rarest term left out, and needs no teacher. Both are held to the same rules, which are pure functions with
// one word each for what they find (see rules.go), and both may go through a second pass: the teacher, with the passage in
// view, must come to the same answer.
//
// # Same answers, same items
//
// A Builder works in rounds. Next names what it must know to go on, each with a key; the caller asks, keeps the replies, and
// calls Next again. The order of passages hangs on the seed and on the passages alone, so the items are a function of the
// documents, the settings and the replies. Who was interrupted calls Next with the replies that were kept, and arrives at the
// same place.
//
// # Caveats
//
// The rules read characters, not meaning. They find an answer that is not in its passage; they do not find a question that
// has two answers. Sentences are told apart by punctuation and a short list of abbreviations. Scripts that put no spaces
// between words have questions but no clozes, because a term cannot be told without a dictionary.
package questions

// Package opengraph reads what pages say of themselves for sharing: the Open Graph
// protocol (https://ogp.me), its namespaces (article, book, music, product,
// profile, video, fb and others that a page declares), and Twitter cards.
//
// It reads the meta elements by property and by name, in the head and below it,
// as both are written in practice. Images, videos and audios are lists, each
// entry with its own width, alt and so on. Of what can only be said once the
// first counts, as the protocol has it.
package opengraph

import { describe, expect, test } from '@jest/globals';
import { library } from '../../../http-rule/testing/library.ts';
import { Comments } from './comments.ts';
import { endOfSentence, published } from './sentences.ts';

describe('C: a summary is the first sentence', () => {
  test.each([
    ['One product by its id. NOT_FOUND when there is none.', 'One product by its id.'],
    ['Takes a code, e.g. `DE`. More.', 'Takes a code, e.g. `DE`.'],
    ['Takes a code (e.g. DE). More.', 'Takes a code (e.g. DE).'],
    ['Takes i.e. Wants a code. More.', 'Takes i.e. Wants a code.'],
    ['Books, reels, etc. of a shelf. More.', 'Books, reels, etc. of a shelf.'],
    ['Books, reels, etc. More.', 'Books, reels, etc.'],
    ['Of the U.S. Constitution. More.', 'Of the U.S. Constitution.'],
    ['By J. Doe and Dr. Roe. More.', 'By J. Doe and Dr. Roe.'],
    ['Approx. 10 books vs. Reels. More.', 'Approx. 10 books vs. Reels.'],
    ['See no. 5 and fig. 7. More.', 'See no. 5 and fig. 7.'],
    ['The answer is no. More.', 'The answer is no.'],
    ['Version 1.5 of v1.proto. More.', 'Version 1.5 of v1.proto.'],
    ['Is it there? More.', 'Is it there?'],
    ['(In brackets.) More.', '(In brackets.)'],
    ['No full stop', 'No full stop'],
    ['No full stop\n\nA paragraph. More.', 'No full stop'],
    ['Over\ntwo lines. More.', 'Over\ntwo lines.'],
    ['', ''],
  ])('%j', (text, sentence) => {
    expect(text.slice(0, endOfSentence(text))).toBe(sentence);
  });
});

describe('C: what authors and linters have comments for is not published', () => {
  test.each([
    ['A book. (-- Ours: ask Ada. --)', 'A book.'],
    ['(-- api-linter: core::0131=disabled\n    aip.dev/not-precedent: Old. --)\nA book.', 'A book.'],
    ['A (-- no --) book.', 'A book.'],
    ['A book.\n\n(-- Two\n\nparagraphs. --)\n\nOf a shelf.', 'A book.\n\nOf a shelf.'],
    ['A book. (-- never closed', 'A book.'],
    ['(-- all --)', ''],
    ['buf:lint:ignore FIELD_LOWER_SNAKE_CASE\nA book.', 'A book.'],
    ['A book. buf:lint:ignore ENUM_ZERO_VALUE_SUFFIX', 'A book.'],
    ['protolint:disable:next ENUM_FIELD_NAMES_PREFIX MAX_LINE_LENGTH\nA book.', 'A book.'],
    ['A book.\napi-linter: core::0192::has-comments=disabled\naip.dev/not-precedent: Old.', 'A book.'],
    ['clang-format off\nA book.\nclang-format on', 'A book.'],
    ['LINT.IfChange(books)\nA book.\nLINT.ThenChange(//shelf.proto)', 'A book.'],
    ['A book. NOLINT(whitespace)', 'A book.'],
    ['A book -- the first (of two) -- here.', 'A book -- the first (of two) -- here.'],
  ])('%j', (comment, text) => {
    expect(published(comment)).toBe(text);
  });

  test('neither in a summary nor in a description', () => {
    const { service } = library({ GetHTTPRoute: undefined, Read: undefined });
    const comments = new Comments({
      'test.Library.Read':
        '(-- Ours. --) Reads a book, e.g. Emma. Fails without one. buf:lint:ignore RPC_NAME',
      'test.Book.name': '(-- Ours. --)',
    });
    const [route, read] = service.methods.map((method) => comments.ofMethod(method));
    expect(read).toEqual({ summary: 'Reads a book, e.g. Emma', description: 'Fails without one.' });
    // Without a comment its name in words: each operation has a summary.
    expect(route).toEqual({ summary: 'Get HTTP route' });
    expect(comments.of(service.methods[0]!.input.fields[0]!)).toEqual({});
  });
});

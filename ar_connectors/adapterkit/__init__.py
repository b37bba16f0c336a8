"""What every ERP adapter is built from: sessions, careful decoding, mapping aids, tagged notes, webhook signatures.

An adapter imports from here and never from another adapter; nothing here knows which ERPs there are.

| module | question |
|---|---|
| `platform` | what does a platform offer to the public face? |
| `session` | how is a connection put together from what was given and what the store keeps? |
| `decoding` | which kind of body is this, and what is done with it? |
| `cutting` | which rows are in a body, byte for byte? |
| `rows` | how is one row read, quickly or carefully? |
| `pages` | how does a page fill up? |
| `mapper` | what serves the mapping of one page: ids, numbers, references? |
| `notes`, `note_texts`, `note_records` | how do our facts look in an ERP's notes, and how are they read back? |
| `side_by_side` | how are several small questions asked without waiting for each in turn? |
| `writing` | one command on its way to an ERP |
| `text` | what text can be stored? |
| `webhooks` | is a notification genuine, and what does it tell? |
"""

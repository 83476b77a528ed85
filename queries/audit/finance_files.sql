-- The user's files for finance as the figures were made with them: a file whose hash is another one
-- by now was changed since. Grain: file of finance/.
-- key: file_name
-- column file_name: Name of the file, within finance/.
-- column sha256: SHA-256 of its bytes; null if it could not be read.
-- column problem_count: Its lines, rules and keys that were not used, as they are wrong.
select name as file_name, sha256, problem_count
from finance.files
order by file_name

" Types a net, asks for the settings, and runs `:make` on a file with a mistake; writes
" what came of it as JSON on the path in $RESULT.
let v:errmsg = ''
execute 'edit' fnameescape($FOLDER . '/typed.net')
execute "normal! i" . join([
  \ 'net A(width: int):', 'input x: [N, C]', 'x -> fc: Linear(3)', '-> relu',
  \ 'if C > 3:', 'x = x -> b: Linear(4)', 'else:', 'x = x + 1'], "\<CR>") . "\<Esc>"
let s:typed = getline(1, '$')
let s:comment = substitute(&commentstring, '%s', 'why', '')
let s:width = [&expandtab, &shiftwidth, &tabstop]
let s:format = &formatprg
silent write!

execute 'edit' fnameescape($FOLDER . '/wrong.net')
call setline(1, ['net A:', '    input x: [N, 4]', '    x -> Liner(3)'])
silent write!
silent make!
let s:found = filter(getqflist(), 'v:val.valid')
call writefile([json_encode({
  \ 'error': v:errmsg, 'typed': s:typed, 'comment': s:comment, 'width': s:width,
  \ 'format': s:format,
  \ 'found': map(s:found, '[v:val.lnum, v:val.col, v:val.type, v:val.text]'),
  \ })], $RESULT)
quitall!

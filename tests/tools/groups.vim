" The syntax group of each byte of the files that the arguments name, as JSON on the
" path in $GROUPS: a list of lines for each file, a list of names for each line.
let v:errmsg = ''
let s:found = []
for s:path in argv()
  execute 'edit' fnameescape(s:path)
  let s:lines = []
  for s:line in range(1, line('$'))
    call add(s:lines, map(range(1, col([s:line, '$']) - 1),
      \ {_, column -> synIDattr(synID(s:line, column, 1), 'name')}))
  endfor
  call add(s:found, {'filetype': &filetype, 'lines': s:lines})
endfor
call writefile([json_encode({'error': v:errmsg, 'files': s:found})], $GROUPS)
quitall!

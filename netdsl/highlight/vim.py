def written(words): return ""

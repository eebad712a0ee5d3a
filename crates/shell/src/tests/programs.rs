//! Programs and their arguments.

use expect_test::expect;

use super::check;

#[test]
fn only_reads() {
    check("ls -la src | grep -v '^d' | sort -k2 | uniq -c | head -20", expect!["reads"]);
    check("rg -n 'fn \\w+' src -g '*.rs' | cut -d: -f1 | xargs wc -l", expect!["reads"]);
    check("find . -name '*.rs' -not -path './target/*' -exec grep -l TODO {} \\;", expect!["reads"]);
    check("sed -n '10,20p' a.rs; sed 's/a/b/g' a.rs | awk -F: '$1 > 5 {print $2}'", expect!["reads"]);
    check(
        "/usr/bin/cat a; \\ls; command ls; sudo cat /etc/hosts; time ls; timeout 5 cat a; env X=1 cat b",
        expect!["reads"],
    );
    check(
        "node --version; gh pr view 3 --json title | jq .title; curl -sSL -o /dev/null https://example.com",
        expect!["reads"],
    );
    check(
        "cargo fmt --check; prettier --check .; gofmt -l .; black --diff a.py; ruff format --check",
        expect!["reads"],
    );
    check("mkdir -p a/b; chmod +x a.sh; sleep 1; kill %1; which cargo; command -v node", expect!["reads"]);
    check("tar -tzf a.tgz; unzip -l a.zip; xxd -l 16 a; base64 a; curl -s x | jq .", expect!["reads"]);
    check("bash -lc 'cd sub && ls'; sh -c \"git status\"", expect!["reads"]);
    check("cat a b; read -r X; echo $X; [ -f a ] && test -d b", expect!["reads"]);
}

#[test]
fn whole_files() {
    check(
        "cp a b; cp -r src/. dst; cp -t dir a b; mv x y z/",
        expect![[r#"
        ~ copy [a] to b
        ~ copy [src] to dst
        ~ copy [a b] to dir
        = move [x y] to z"#]],
    );
    check(
        "cp --backup a b; mv $FROM to; install -m 755 bin out; install -d dirs",
        expect![[r#"
        ~ program "cp" []
        ~ program "mv" […]
        ~ copy [bin] to out"#]],
    );
    check(
        "rm -rf target a*; rm -- -x; unlink b",
        expect![[r#"
            ~ remove [target glob:a*] and below
            ~ remove [-x]
            = remove [b]"#]],
    );
    check(
        "touch -- -x; echo a | tee -- -y; ls -la --color=auto; rm --",
        expect![[r#"
        ~ append -x ""
        ~ write -y "a\n""#]],
    );
    check(
        "touch a b; touch -t 202001010000 c; truncate -s 0 d; truncate -s 5 e",
        expect![[r#"
            ~ append a ""
            ~ append b ""
            ~ append 202001010000 ""
            ~ append c ""
            ~ write d ""
            = program "truncate" []"#]],
    );
    check(
        "ln -s a b; dd if=a of=b; rsync -a a/ b/; patch -p1 < x.diff",
        expect![[r#"
        ~ program "ln" []
        ~ program "dd" []
        ~ program "rsync" [a b]
        = program "patch" []"#]],
    );
}

#[test]
fn programs_that_run_others() {
    check(
        "find src -name '*.rs' -exec sed -i 's/a/b/' {} +; find . -type f -name '*.orig' -delete",
        expect![[r#"
        ? substitute [glob:src/**/*.rs]
        = remove [glob:**/*.orig]"#]],
    );
    check(
        "find src -type f | xargs sed -i 's/a/b/'; grep -rl x src | xargs -0 perl -pi -e 's/x/y/'",
        expect![[r#"
        ? substitute [glob:src/**]
        ? substitute […]"#]],
    );
    check(
        "ls | xargs -I{} mv {} {}.bak; echo a b | xargs rm; cat names | xargs -n 1 ./tool",
        expect![[r#"
        ? move […] to ….bak
        ? remove [a b]
        ? program "./tool" […]"#]],
    );
    check(
        "ls | xargs -I{} cp a $U{}.bak; ls | xargs -I NAME rm x/NAME",
        expect![[r#"
        ? program "cp" [….bak]
        ? remove […]"#]],
    );
    check(
        "find -E . -fprint out; find . -execdir rm {} ';'; find a.rs -name 'a.rs' -delete",
        expect![[r#"
        ~ write out …
        ~ program "find" []
        = remove [glob:a.rs/**]"#]],
    );
    check(
        "bash -c 'cd sub && echo x > a'; sudo sh -c \"echo y > /b\"; bash -euo pipefail -c 'rm c'",
        expect![[r#"
        ~ write sub/a "x\n"
        ~ write /b "y\n"
        = remove [c]"#]],
    );
    check(
        "bash script.sh; sh -c \"$X\"; X=1; sh -c 'echo > $X'; eval \"rm a\"; . ./env.sh",
        expect![[r#"
        ~ program "bash" [script.sh]
        ~ program "sh" […]
        ~ write … "\n"
        ~ remove [a]
        = program "." [env.sh]"#]],
    );
    check("sudo -u me env -u X A=1 nice -n 5 timeout -k 1 5 nohup rm a", expect!["= remove [a]"]);
    check(
        "trap 'rm tmp' EXIT; rm a",
        expect![[r#"
        ? remove [tmp]
        = remove [a]"#]],
    );
    check(
        "ssh host 'rm a'; docker run -v .:/x y; make -f x.mk; parallel rm ::: a b",
        expect![[r#"
        ~ program "ssh" []
        ~ program "docker" [.:/x]
        ~ build make
        = program "parallel" []"#]],
    );
}

#[test]
fn formatters() {
    check(
        "cargo fmt; cargo fmt -p x -- --config a=b; rustfmt --edition 2024 src/a.rs",
        expect![[r#"
        ~ format cargo [] everywhere
        ~ format cargo [] everywhere
        = format rustfmt [src/a.rs] everywhere"#]],
    );
    check(
        "npx prettier --write src/a.ts 'src/**/*.js'; pnpm exec prettier -w .; yarn dlx prettier@3 --write a",
        expect![[r#"
            ~ format prettier [src/a.ts] everywhere
            ~ format prettier [.]
            = format prettier [] everywhere"#]],
    );
    check(
        "gofmt -w a.go b.go; go fmt ./...; gofmt -s -w a.go; goimports -w a.go",
        expect![[r#"
        ~ format gofmt [a.go b.go]
        ~ format go [...] everywhere
        ~ program "gofmt" [a.go]
        = program "goimports" [a.go]"#]],
    );
    check(
        "black -l 100 src; uv run ruff format; poetry run black a.py; python3 -m black b.py; ruff check --fix",
        expect![[r#"
            ~ format black [] everywhere
            ~ build uv
            ~ format ruff [] everywhere
            ~ format black [a.py]
            ~ format black [b.py]
            = program "ruff" []"#]],
    );
    check(
        "black a.py src; prettier --write a.ts 'b/*.ts'; clang-format -i --files=list x.c",
        expect![[r#"
        ~ format black [a.py] everywhere
        ~ format prettier [a.ts] everywhere
        = format clang-format [x.c] everywhere"#]],
    );
    check(
        "clang-format -i a.c; npx @biomejs/biome format --write; biome check --write .; dprint fmt; deno fmt",
        expect![[r#"
        ~ format clang-format [a.c]
        ~ program "npx" [@biomejs/biome]
        ~ program "biome" []
        ~ format dprint [] everywhere
        = format deno [] everywhere"#]],
    );
    check(
        "node_modules/.bin/prettier --write a.ts; shfmt -w x.sh; zig fmt .; black $FILES",
        expect![[r#"
            ~ format prettier [a.ts]
            ~ format shfmt [x.sh]
            ~ format zig [.]
            = program "black" […]"#]],
    );
}

#[test]
fn build_tools() {
    check(
        "cargo test -p x update_it 2>&1 | tail -5; RUST_BACKTRACE=1 cargo +nightly clippy",
        expect![[r#"
        ~ build cargo
        = build cargo"#]],
    );
    check(
        "UPDATE_EXPECT=1 cargo test; cargo clippy --fix; cargo test -- --bless; cargo run; cargo add x",
        expect![[r#"
        ~ program "cargo" []
        ~ program "cargo" []
        ~ program "cargo" []
        ~ program "cargo" []
        = program "cargo" []"#]],
    );
    check("export UPDATE_EXPECT=1; cargo test", expect![[r#"= program "cargo" []"#]]);
    check(
        "npm test; npm run lint:fix; npm run build; pnpm typecheck; yarn lint; npm install; npm run gen",
        expect![[r#"
        ~ build npm
        ~ program "npm" []
        ~ build npm
        ~ build pnpm
        ~ build yarn
        ~ program "npm" []
        = program "npm" []"#]],
    );
    check(
        "go test ./... -run TestWrite; go test -update; go generate ./...; go mod tidy; go env GOROOT",
        expect![[r#"
        ~ build go
        ~ program "go" []
        ~ program "go" [...]
        ~ program "go" []"#]],
    );
    check(
        "make; make -j4 test; make fmt; just check; ./gradlew build; mvn test; mise run lint",
        expect![[r#"
        ~ build make
        ~ build make
        ~ program "make" []
        ~ build just
        ~ build gradlew
        ~ build mvn
        = build mise"#]],
    );
    check(
        "pytest -k x; python -m pytest; tox; jest -u; npx vitest run; tsc --noEmit; eslint src; eslint --fix src",
        expect![[r#"
        ~ build pytest
        ~ build pytest
        ~ build tox
        ~ program "jest" []
        ~ build vitest
        ~ build tsc
        ~ build eslint
        = program "eslint" []"#]],
    );
    check(
        "ruff check .; uv run pytest; golangci-lint run; golangci-lint run --fix; cmake --build b; gcc -o a a.c",
        expect![[r#"
            ~ build ruff
            ~ build uv
            ~ build pytest
            ~ build golangci-lint
            ~ program "golangci-lint" []
            ~ build cmake
            = build gcc"#]],
    );
}

#[test]
fn anything_else_is_a_program() {
    check(
        "./gen.sh out.rs; python3 tool.py --out=x src/a.rs; node -e 'x'",
        expect![[r#"
        ~ program "./gen.sh" [out.rs]
        ~ program "python3" [tool.py src/a.rs]
        = program "node" []"#]],
    );
    check(
        "awk '{print > \"a\"}' b; awk -i inplace '{print}' c; sort -o a a; rg --pre x y; tree -o z",
        expect![[r#"
        ~ program "awk" []
        ~ program "awk" []
        ~ program "sort" []
        ~ program "rg" []
        = program "tree" []"#]],
    );
    check(
        "curl -O https://example.com/x; curl -so a https://example.com; wget x; tar xzf a.tgz; unzip a.zip",
        expect![[r#"
        ~ program "curl" []
        ~ program "curl" []
        ~ program "wget" []
        ~ program "tar" [a.tgz]
        = program "unzip" [a.zip]"#]],
    );
    check(
        "gh pr checkout 3; gh repo clone x/y; sed -n 'w out' a; sed -i 's/a/b/e' c; yq -i '.a=1' d",
        expect![[r#"
        ~ program "gh" []
        ~ program "gh" [x/y]
        ~ program "sed" []
        ~ program "sed" [s/a/b/e]
        = program "yq" []"#]],
    );
    check(
        "cat $X; sort $FLAGS a; sed $FLAGS a",
        expect![[r#"
        ~ program "sort" […]
        = program "sed" […]"#]],
    );
}

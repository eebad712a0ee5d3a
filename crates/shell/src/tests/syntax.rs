//! How commands are put together.

use expect_test::expect;

use super::check;

#[test]
fn here_documents() {
    check(
        "cat > src/made.rs <<'EOF'\nfn a() {\n    \"$x\"\n}\nEOF",
        expect![[r#"= write src/made.rs "fn a() {\n    \"$x\"\n}\n""#]],
    );
    check("cat <<EOF > a.txt\nplain\nEOF", expect![[r#"= write a.txt "plain\n""#]]);
    check("cat <<EOF >> a.txt\nhome is $UNKNOWN\nEOF", expect!["= append a.txt …"]);
    check("N=3; cat <<EOF > a.txt\n$N \\$N `echo four`\nEOF", expect![[r#"= write a.txt "3 $N four\n""#]]);
    check(
        "cat <<-END | tee -a a b\n\tone\n\tEND\necho done",
        expect![[r#"
        ~ append a "one\n"
        ~ append b "one\n""#]],
    );
    check(
        "cat > a <<A && cat > b <<'B'\nfirst\nA\nsecond\nB",
        expect![[r#"
        = write a "first\n"
        = write b "second\n""#]],
    );
    check("python3 - <<'EOF'\nopen('a.rs', 'w').write('x')\nEOF", expect![[r#"= program "python3" []"#]]);
    check("cat > a <<EOF\nnever ended", expect![[r#"= write a "never ended""#]]);
    check(
        "git commit -m \"$(cat <<'EOF'\nIt's (a) \"message\n\nEOF\n)\" && git push",
        expect![[r#"
        = git Commit [] []
        = git Push [] []"#]],
    );
    check(
        "bash <<'EOF'\ncd sub\necho x > a\nEOF",
        expect![[r#"
        = write sub/a "x\n"
        cd unchecked"#]],
    );
    check("cat <<< one > a", expect![[r#"= write a "one\n""#]]);
    check("cat > a << 'EOF' | head\r\nx\r\nEOF\r\n", expect![[r#"~ write a "x\r\n""#]]);
}

#[test]
fn redirections() {
    check("echo hello > a.txt", expect![[r#"= write a.txt "hello\n""#]]);
    check("echo 'a\\nb' > a", expect!["= write a …"]);
    check(
        "echo -ne 'a\\tb' > a; printf '%s\\n' one two >> b",
        expect![[r#"
        ~ write a "a\tb"
        = append b "one\ntwo\n""#]],
    );
    check(
        "printf 'x: %d%%\\n' 5 > a; printf '%5.2f' 1 > b",
        expect![[r#"
        ~ write a "x: 5%\n"
        = write b …"#]],
    );
    check("ls > /dev/null 2>&1; ls 2>/dev/null; ls >&2", expect!["reads"]);
    check(
        "ls 2> errors > names",
        expect![[r#"
        = write errors …
        = write names …"#]],
    );
    check(
        "ls &> both; ls >& both2; ls &>> both3",
        expect![[r#"
        ~ write both …
        ~ write both2 …
        = append both3 …"#]],
    );
    check(
        "> empty; : > empty2; true >| empty3",
        expect![[r#"
        ~ write empty ""
        ~ write empty2 ""
        = write empty3 """#]],
    );
    check(
        "echo x > a > b",
        expect![[r#"
        = write a ""
        = write b "x\n""#]],
    );
    check(
        "echo x | tee a | tee -a b > c",
        expect![[r#"
        ~ write a "x\n"
        = append b "x\n"
        = write c "x\n""#]],
    );
    check(
        "{ echo a; echo b; } > ab; (echo c; ls) > c",
        expect![[r#"
        ~ write ab "a\nb\n"
        = write c …"#]],
    );
    check("exec > log; echo x", expect!["~ write log …"]);
    check(
        "python gen.py > src/a.rs",
        expect![[r#"
        = program "python" [gen.py]
        = write src/a.rs …"#]],
    );
    check(
        "echo x > \"$FILE\"; echo y > $DIR/a.rs; echo z > src/*.rs",
        expect![[r#"
        ~ write … "x\n"
        ~ write …/a.rs "y\n"
        = write glob:src/*.rs "z\n""#]],
    );
    check("[ a > b ]", expect![[r#"= write b """#]]);
    check("echo x 3> f >&3", expect!["= write f …"]);
    check("diff <(sort a) <(sort b)", expect!["reads"]);
    check("ls > >(tee log)", expect!["~ write log …"]);
}

#[test]
fn folders() {
    check(
        "if cd x; then rm a; else rm b; fi; rm c",
        expect![[r#"
        ? remove [x/a]
        ? remove [x/b]
        = remove [x/c]
        cd unchecked"#]],
    );
    check(
        "! cd x && rm a; while cd y; do rm b; done",
        expect![[r#"
        ? remove [x/a]
        ? remove […/b]
        cd unchecked"#]],
    );
    check(
        "set -e; { cd x; rm a; } || true; X=$(cd y; rm b)",
        expect![[r#"
        ~ remove [x/a]
        ~ remove [x/y/b]
        cd unchecked"#]],
    );
    check("cd sub && echo x > a", expect![[r#"= write sub/a "x\n""#]]);
    check(
        "cd sub; echo x > a",
        expect![[r#"
        = write sub/a "x\n"
        cd unchecked"#]],
    );
    check("cd sub || exit 1; echo x > a", expect![[r#"= write sub/a "x\n""#]]);
    check("set -e\ncd sub\necho x > a", expect![[r#"= write sub/a "x\n""#]]);
    check(
        "(cd sub && rm a); rm b",
        expect![[r#"
        ~ remove [sub/a]
        = remove [b]"#]],
    );
    check(
        "cd a/b && cd ../.. && rm x; cd - && rm y",
        expect![[r#"
        ~ remove [x]
        = remove [a/b/y]
        cd unchecked"#]],
    );
    check("cd /repo && rm a ./b ../c /d ~/e", expect!["= remove [/repo/a /repo/b /c /d ~/e]"]);
    check(
        "cd \"$WHERE\" && echo x > src/a.rs && rm -r *.rs ..",
        expect![[r#"
        = write …/src/a.rs "x\n"
        = remove [….rs …] and below"#]],
    );
    check(
        "cd && touch .x; cd ~/work && touch y",
        expect![[r#"
        ~ append ~/.x ""
        = append ~/work/y ""
        cd unchecked"#]],
    );
    check(
        "pushd sub; rm a; popd; rm b",
        expect![[r#"
        ~ remove [sub/a]
        = remove […/b]
        cd unchecked"#]],
    );
    check(
        "[ -d x ] && cd x; rm a",
        expect![[r#"
        = remove […/a]
        cd unchecked"#]],
    );
    check(
        "if true; then cd x; fi; rm a",
        expect![[r#"
        = remove […/a]
        cd unchecked"#]],
    );
    check("D=$(pwd); cd sub && rm $D/a $PWD/b \"$OLDPWD/c\"", expect!["= remove [a sub/b c]"]);
    check("cd \"$(git rev-parse --show-toplevel)\" && rm src/a.rs", expect!["= remove […/src/a.rs]"]);
    check(
        "cd 'C:\\work' && echo x > a; echo y > /d/b",
        expect![[r#"
        ~ write C:\work/a "x\n"
        = write /d/b "y\n"
        cd unchecked"#]],
    );
}

#[test]
fn words() {
    check("rm 'a b' \"c d\" e\\ f $'g\\th' i''j", expect!["= remove [a b c d e f g	h ij]"]);
    check("rm {a,b}.rs c{,.bak} d{1..3} {} {x}", expect!["= remove [a.rs b.rs c c.bak … {} {x}]"]);
    check("rm a*.rs '*.rs' [ab].rs b?.rs !(x).rs", expect!["= remove [glob:a*.rs *.rs glob:[ab].rs glob:b?.rs ….rs]"]);
    check("F=a.rs; rm $F \"${F}\" ${F%.rs} \"$F.bak\"", expect![[r#"= program "rm" [a.rs a.rs … a.rs.bak]"#]]);
    check(
        "F='a b'; rm $F; rm \"$F\"",
        expect![[r#"
        ~ remove [a b]
        ~ program "rm" []
        = remove [a b]"#]],
    );
    check("F=a; F=b; F+=c; rm $F", expect![[r#"= program "rm" […]"#]]);
    check(
        "A=(x y); rm ${A[0]}; rm \"$1\" $#",
        expect![[r#"
        ~ program "rm" […]
        = remove [… …]"#]],
    );
    check(
        "export OUT=~/out; rm $OUT/a; env X=1 rm b; X=1 Y='2 3' rm c",
        expect![[r#"
        ~ remove [~/out/a]
        ~ remove [b]
        = remove [c]"#]],
    );
    check("rm # comment\nrm a#b # c", expect!["= remove [a#b]"]);
    check(
        "T=$(mktemp); echo x > $T; rm $(cat names)",
        expect![[r#"
        ~ write glob:/tmp/** "x\n"
        = program "rm" […]"#]],
    );
    check(
        "rm \"$(echo a)\" `echo b` $(echo c d)",
        expect![[r#"
        = remove [a b c d]
        = program "rm" []"#]],
    );
    check(
        "X=\"${Y:-$(rm hidden)}\"; echo $((1 + 2)) > n$((1)).txt",
        expect![[r#"
        ~ remove [hidden]
        = write ….txt …"#]],
    );
}

#[test]
fn lists() {
    check(
        "rm a && rm b && rm c",
        expect![[r#"
        = remove [a]
        = remove [b]
        = remove [c]"#]],
    );
    check(
        "rm a; rm b\nrm c",
        expect![[r#"
        ~ remove [a]
        ~ remove [b]
        = remove [c]"#]],
    );
    check(
        "rm a || rm b",
        expect![[r#"
        ~ remove [a]
        ? remove [b]"#]],
    );
    check("mkdir -p x && echo a > x/y\nls", expect![[r#"~ write x/y "a\n""#]]);
    check("grep -q x f && echo a > x; ls", expect![[r#"? write x "a\n""#]]);
    check(
        "rm a & rm b",
        expect![[r#"
        ? remove [a]
        = remove [b]"#]],
    );
    check(
        "! rm a | rm b",
        expect![[r#"
        ~ remove [a]
        ~ remove [b]"#]],
    );
    check(
        "set -o pipefail; rm a | tee b",
        expect![[r#"
        = remove [a]
        = write b """#]],
    );
    check(
        "rm a; exit 0; rm b",
        expect![[r#"
        ~ remove [a]
        ? remove [b]"#]],
    );
}

#[test]
fn compound() {
    check(
        "if grep -q x a; then rm a; elif rm b; then rm c; else rm d; fi",
        expect![[r#"
        ? remove [a]
        ? remove [b]
        ? remove [c]
        ? remove [d]"#]],
    );
    check(
        "for f in a b; do rm $f.rs; done",
        expect![[r#"
        ~ remove [a.rs]
        = remove [b.rs]"#]],
    );
    check("for f in src/*.rs; do sed -i 's/a/b/' \"$f\"; done", expect!["? substitute [glob:src/*.rs]"]);
    check("for f in $(git ls-files); do rm $f; done", expect!["? remove [glob:**]"]);
    check(
        "for f; do rm $f; done; for ((i=0; i<3; i++)); do rm a$i; done",
        expect![[r#"
        ? remove […]
        ? remove […]"#]],
    );
    check("i=0; while [ $i -lt 3 ]; do echo x > f$i; i=$((i+1)); done", expect![[r#"? write … "x\n""#]]);
    check("while read -r f; do rm \"$f\"; done < names", expect!["? remove […]"]);
    check(
        "case $x in a|b) rm a;; (*) rm b ;; esac",
        expect![[r#"
        ? remove [a]
        ? remove [b]"#]],
    );
    check(
        "f() { rm $1; }; f a; function g { rm g; }; g",
        expect![[r#"
        ~ remove [a]
        = remove [g]"#]],
    );
    check("f() { f; f; }; f", expect![[r#"? program "" []"#]]);
    check(
        "[[ -f a && $(rm b) > c ]] && ((x++)); rm $x",
        expect![[r#"
        ~ remove [b]
        = program "rm" […]"#]],
    );
    check("until rm a; do sleep 1; done", expect!["? remove [a]"]);
    check(
        "for i in 1 2; do rm $i; break; done; rm c",
        expect![[r#"
        ~ remove [1]
        ? remove [2]
        = remove [c]"#]],
    );
    check(
        "select x in a b; do rm $x; done",
        expect![[r#"
        ~ remove [a]
        = remove [b]"#]],
    );
}

#[test]
fn what_is_not_understood_is_a_program() {
    check(
        "rm a; rm 'b",
        expect![[r#"
        = remove [a]
        = program "" []"#]],
    );
    check("echo \"$(cat", expect![[r#"= program "" []"#]]);
    check("if true; then rm a", expect![[r#"= program "" []"#]]);
    check(
        "rm a; )",
        expect![[r#"
        = remove [a]
        = program "" []"#]],
    );
    check("echo x >! a", expect![[r#"= program "" []"#]]);
    check("$CMD a.rs", expect![[r#"= program "" [… a.rs]"#]]);
    check("", expect!["reads"]);
}

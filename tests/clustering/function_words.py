"""Words of grammar of thirteen languages, written for the tests; nothing in the package reads them.

Articles, pronouns, prepositions, conjunctions, particles and auxiliary verbs, from grammars.
"""

FUNCTION_WORDS = {
    "English": """a about above across after again against all almost along already also although
        always am among an and another any anybody anyone anything are around as at away back be
        became because become been before behind being below beneath beside between beyond both
        but by can cannot could did do does doing done down during each either else enough even
        ever every everybody everyone everything few for from had has have having he her here
        hers herself him himself his how however i if in into is it its itself just least less
        many may me might mine more most much must my myself near neither never no nobody none
        nor not nothing now of off often on once one only onto or other others our ours
        ourselves out over own perhaps quite rather same shall she should since so some somebody
        someone something sometimes soon still such than that the their theirs them themselves
        then there these they this those though through thus till to together too toward towards
        under until up upon us very was we well were what whatever when where whether which
        while who whoever whole whom whose why will with within without would yes yet you your
        yours yourself yourselves""",
    "early modern English": """thee thou thy thine thyself ye hath hast hadst doth dost didst art
        wert wast shalt shouldst wilt wouldst canst couldst mayst mightst must unto upon ere oft
        betwixt amongst amidst whence whither wherefore whereof wherein whereby whereon hither
        thither hence thence thereof therein thereto thereby hereof herein nay yea aye tis twas
        twill twere 'tis 'twas o'er e'er ne'er neer eer oer albeit howbeit lest whilst afore
        anon yon yonder save sith such-like methinks forsooth prithee verily whoso whosoever
        whatsoever wheresoever unless ought aught naught nought till until toward within without""",
    "German": """aber alle allem allen aller alles als also am an andere anderen auch auf aus bei
        beim bin bis bist da dabei dadurch dafür daher dahin damals damit danach daran darauf
        daraus darin darum darüber das dass daß dein deine deinem deinen deiner deines dem den
        denen denn der deren des dessen dich die dies diese diesem diesen dieser dieses dir doch
        dort du durch eben ein eine einem einen einer eines einmal er es etwas euch euer eure
        eurem euren für gegen gewesen hab habe haben hast hat hatte hatten hätte hier hin hinab
        hinaus hinein hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in indem ins ist ja
        jede jedem jeden jeder jedes jene jenem jenen jener jetzt kann kannst kein keine keinem
        keinen keiner konnte können könnte man manche mancher mehr mein meine meinem meinen
        meiner meines mich mir mit muss muß müssen nach nicht nichts nie nimmer noch nun nur ob
        oder ohne schon sehr sei seid sein seine seinem seinen seiner seit selber selbst sich
        sie sind so solch solche soll sollen sollst sollte sondern sonst um und uns unser unsere
        unsern unserm unter viel vom von vor wann war waren warst warum was weil weiter welche
        welcher wem wen wenn wer werde werden werdet wes wie wieder will willst wir wird wirst
        wo woher wohin wohl wollen wollte worden wurde würde während zu zum zur zwar zwischen
        über""",
    "French": """à afin ai ainsi alors après as assez au aucun aucune aussi autre autres aux avais
        avait avant avec avez avoir avons beaucoup bien c'est ça car ce ceci cela celle celles
        celui cependant ces cet cette ceux chaque chez comme comment contre d'un d'une dans de
        depuis derrière des dès devant deux doit donc dont du elle elles en encore entre es est
        et étaient étais était été être eu eux fait fut hors il ils jamais je jusque la là le
        les leur leurs lorsque lui ma mais malgré même mes mien moi moins mon n'est ne ni non
        nos notre nous on ont or ou où par parce parmi pas pendant peu peut peux plus plusieurs
        pour pourquoi pourtant près puis puisque qu'il qu'on qu'un quand que quel quelle quelles
        quelque quelques quels qui quoi rien sa sans se sera ses si sien soi soient sois soit
        sommes son sont sous souvent suis sur ta tandis tant te tel telle tes tien toi ton
        toujours tous tout toute toutes très trop tu un une vers voici voilà vos votre vous y""",
    "Spanish": """a al algo alguien algún alguna algunas algunos ante antes aquel aquella aquellas
        aquello aquellos aquí así aun aún aunque bajo bien cada casi como cómo con conmigo
        contigo contra cual cuál cuando cuándo cuanto de del desde donde dónde dos durante e el
        él ella ellas ello ellos en entonces entre era eran eras eres es esa esas ese eso esos
        esta está estaba estaban estado estamos están estar estas este esto estos estoy fue
        fueron fui ha había habían han has hasta hay he hemos la las le les lo los más me mi mí
        mía mientras mío mis mismo mucho muy nada nadie ni ningún ninguna no nos nosotros
        nuestra nuestro o os otra otras otro otros para pero poco por porque pues que qué quien
        quién quienes se ser si sí sido siempre sin sino sobre son soy su sus suya suyo tal
        también tan tanto te ti tiene tienen todo toda todas todos tu tú tus tuya tuyo un una
        unas uno unos usted vosotros vuestra vuestro y ya yo""",
    "Italian": """a ad agli ai al alla alle allo allora anche ancora altra altre altri altro avere
        aveva avete ben c'è che chi ci ciò coi col come con contro cosa così cui da dagli dai
        dal dalla dalle dei degli del della delle dello dentro di dopo dove due e ed egli era
        eran erano essa esse essere essi è fin fino fra fu furono già gli ha hai hanno ho i il
        in io la le lei li lo loro lui ma mai me mentre mi mia mie miei mio molto ne né negli
        nei nel nella nelle non nostra nostro noi o ogni ognun or ora per perché però più poi
        presso prima pur pure qual quale quali quando quanta quanto quegli quei quel quella
        quelle quello questa queste questi questo qui quindi sarà se sei sempre senza si sì siam
        siamo siete sol solo son sono sopra sotto sta sto sua sue sugli sui sul sulla suo suoi
        tal tale tanto te ti tra troppo tu tua tue tuo tuoi tutta tutte tutti tutto un una uno
        vi voi vostra vostro""",
    "Portuguese": """a ainda além algo alguém algum alguma ali ante antes ao aos apenas após
        aquela aquele aqui as assim até bem cada com como contigo comigo contra cujo da das de
        dela dele deles desde dessa desse desta deste depois do dos e é ela elas ele eles em
        enquanto entre era eram és essa esse esta está estão estar estas estava este estes estou
        eu foi foram há isso isto já la lhe lhes lo mais mas me mesmo meu meus mim minha minhas
        muita muito na não nas nem nenhum no nos nós nossa nosso num numa nunca o os ou outra
        outro para pela pelas pelo pelos perante por porque pra qual quando quanto que quê quem
        se sem sempre ser seu seus si sim sob sobre só sou sua suas são tal também tanto tão te
        tem têm ter teu teus ti tinha toda todas todo todos tu tua tuas tudo um uma uns vos vós
        você vocês""",
    "Dutch": """aan achter al alle alleen alles als altijd andere ben bent bij boven daar daarom
        dan dat de deze die dit doch doen door dus een eens eer elk elke en er erg even geen
        geweest had hadden heb hebben hebt heeft hem hen het hier hij hoe hoewel hun iemand iets
        ik in is ja je jij jou jouw jullie kan kon kunnen maar me meer men met mij mijn moet na
        naar naast niemand niet niets nog nooit nu of om omdat onder ons onze ook op over reeds
        sinds steeds te tegen ten ter terwijl toch toen tot tussen u uit uw van veel voor waar
        waarom wanneer want waren was wat we wel welke werd wie wij worden wordt zal ze zelf
        zich zij zijn zo zoals zonder zou zouden zullen""",
    "Latin": """a ab abs ac ad adversus an ante apud at atque aut autem bene circa contra coram
        cui cuius cum cur de dein deinde dum e ea eam earum eas ecce ego ei eis eius enim eo
        eorum eos eram erant erat ergo eris erit erunt es esse essent esset est estis et etiam
        eum ex extra fuerat fuerit fui fuit fuisti haec has hanc harum hic hinc his hoc horum
        hos huc huic huius hunc iam ibi id idem igitur ille illa illam illi illis illius illo
        illos illud illum in inde infra inter intra ipsa ipse ipsi ipsis ipsius ipso ipsum ipsos
        ita itaque iuxta me mea meae meam mei meis meo meos meum meus mecum mihi modo nam ne nec
        neque nisi nobis nobiscum non nos noster nostra nostrae nostram nostri nostris nostro
        nostrorum nostrum nunc ob omnis omnes omnia omnibus omnium per post postquam prae
        praeter pro propter qua quae quam quando quare quasi quem qui quia quibus quid quidem
        quis quo quod quomodo quoniam quoque quorum quos sed semper se sese si sibi sic sicut
        sine sit sint sive sub sum sumus sunt super supra suus sua suae suam sui suis suo suos
        suum suorum tam tamen tamquam tantum te tecum tibi tu tunc tua tuae tuam tui tuis tuo
        tuos tuum tuus tuorum ubi ultra unde usque ut uti vel vero vestra vester vestri vestris
        vestrum vobis vobiscum vos""",
    "Russian": """а без более бы был была были было быть в вам вами вас ваш весь вдруг вот все всё
        всех вы где да даже для до его ее её ей ему если есть еще ещё ж же за здесь и из или им
        ими их к как ко когда кто ли лишь меня мне мной мной мой моя моё мои мы на над надо нас
        наш не него нее неё ней нет ни них но ну о об однако он она они оно от перед по под
        после потому почему при про с сам свой своя свои себе себя со так также такой там тебе
        тебя тем то тобой того тоже той только том тот тут ты у уж уже хоть хотя чего чем через
        что чтоб чтобы чья эта эти это этого этой этом этот я""",
    "Turkish": """acaba ama ancak artık aslında az bana bazı belki ben benden beni benim beri bile
        bir biraz birçok biri birkaç birşey biz bize bizden bizi bizim böyle bu buna bunda
        bundan bunlar bunları bunu bunun burada bütün çoğu çok çünkü da daha de defa değil diğer
        diye dolayı e eğer en gibi göre hala halde hangi hatta hem henüz hep hepsi her hiç i
        için ile ilgili ise işte itibaren kadar karşı kendi kendine kendini ki kim kime kimi
        kimse madem mı mi mu mü nasıl ne neden nerde nerede nereye niçin niye o olan olarak oldu
        olduğu olmak olsa olsun ona ondan onlar onlara onları onların onu onun orada oysa öyle
        pek rağmen sana sanki sen senden seni senin siz size sizden sizi sizin sonra şey şimdi
        şöyle şu şuna şunu tüm var ve veya ya yani yerine yine yok yoksa zaten""",
    "Bangla": """অথচ অথবা আছে আজ আপন আবার আমরা আমাকে আমাদের আমায় আমার আমারে আমি আর ই উপর এ এই এক
        একটি একটু এখন এত এবং এমন এর ও ওই ওগো ওরা ওরে কখন কত কবে কভু করে করি কি কিছু কিন্তু কে
        কেন কেমন কোন কোথা কোথায় গো ছিল জন্য জানি তব তবু তবে তা তাই তাকে তাদের তার তারা তারে
        তুমি তো তোমরা তোমাকে তোমায় তোমার তোমারে থেকে দিয়ে নয় না নাই নাহি নি নিয়ে নেই পর পরে
        বা বলে বিনা মত মতো মম মাঝে মোদের মোর মোরে যখন যত যদি যবে যা যাহা যে যেন যেথা রে লাগি
        শুধু সকল সনে সব সবাই সবার সাথে সে সেই সেথা হতে হয় হয়ে হায় হে""",
    "Swedish": """aldrig all alla allt än ännu att av bara bli blir både då de dem den denna deras
        dess det detta dig din dina dit ditt du där efter ej eller en er era ett för före från
        få genom ha hade han hans har hela henne hennes hon honom hos här i icke igen in ingen
        inget inte jag ju kan kunde man med medan mellan men mer mig min mina mitt mot mycket ni
        nog nu när någon något några och också om oss på sedan sig sin sina sitt själv ska skall
        skulle som så sådan till under upp ut utan vad var vara varför varje vem vi vid vilka
        vilken vår våra vårt är även över""",
}
